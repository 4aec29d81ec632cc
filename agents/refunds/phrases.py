"""Families of wordings by which people ask. Pure: no Django, clock, network or settings.

Owns the patterns only; `reading` applies them. Repetitions are bounded, so matching stays linear.
"""

import re
from enum import StrEnum


class Kind(StrEnum):
    """What a passage asks for. Only the first three may end in a refund of ours."""

    RETURN = "return"
    CANCEL = "cancel"
    REFUND = "refund"
    EXCHANGE = "exchange"
    MODIFY = "modify"
    DISPUTE = "dispute"
    NOT_RECEIVED = "not_received"
    COMPENSATION = "compensation"
    SENT = "sent"
    ERRAND = "errand"


REFUNDS = frozenset({Kind.RETURN, Kind.CANCEL, Kind.REFUND})
# Work on the order itself: a refund of the same order beside it would get in its way.
BLOCKING = frozenset({Kind.EXCHANGE, Kind.MODIFY, Kind.DISPUTE, Kind.NOT_RECEIVED, Kind.COMPENSATION, Kind.SENT})


def _any(*families: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{family})" for family in families), re.IGNORECASE)


_W = r"(?:[\w'-]{1,20}\s+)"
_MONEY = r"(?:money|refund|funds?|amount|cash|sum|payment)"
_PERSONAL = r"(?:refund|money|repl|answer|response|confirm|e-?mail|message)"

TRIGGERS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        Kind.DISPUTE,
        _any(
            r"\bcharge-?\s?backs?\b",
            r"\bdisput(?:e|es|ed|ing)\b",
            rf"\brevers(?:e|ed|ing|al)\s{_W}{{0,3}}(?:charge|payment)\b",
            rf"\b(?:bank|issuer|card\s+company|paypal)\s{_W}{{0,4}}(?:claim|case|investigation)\b",
        ),
    ),
    (
        Kind.NOT_RECEIVED,
        _any(
            rf"\b(?:never|not|n['o]?t|hasn'?t|haven'?t|didn'?t|did\s+not|isn'?t|wasn'?t|yet\s+to)\s+(?:{_W}){{0,2}}?"
            r"(?:reach(?:ed)?|arriv(?:e|ed)|c[ao]me|turn(?:ed)?\s+up|show(?:n|ed)?\s+up|got\s+here|delivered)\b",
            rf"\b(?:never|not|n'?t|hasn'?t|haven'?t|didn'?t)\s+(?:yet\s+)?(?:received?|got(?:ten)?|get)\b"
            rf"(?!\s{_W}{{0,2}}{_PERSONAL})(?!\s+(?:what|on|along|the\s+chance))",
            r"\bnothing\s+(?:ever\s+|has\s+|has\s+ever\s+)?(?:came|come|arrived|turned\s+up|showed\s+up)\b",
            r"\b(?:is|are)(?:n'?t|\s+not)\s+here\b",
            r"\bno\s+sign\s+of\s+(?:it|them|the|my)\b",
            r"\blost\s+in\s+(?:the\s+)?(?:post|mail|transit)\b",
            r"\b(?:parcel|package|box)\s+(?:is|was|went)\s+missing\b",
            r"\b(?:was|were|got|been)\s+stolen\b",
            r"\bempty\s+(?:box|parcel|package)\b",
        ),
    ),
    (
        Kind.COMPENSATION,
        _any(
            r"\bcompensat\w{1,5}\b",
            r"\bgoodwill\b",
            r"\bprice[\s-]match\w{0,4}\b",
            r"\bmatch\s+(?:the|that|this)\s+price\b",
            rf"\b(?:refund|pay|give|get|credit|reimburse)\w{{0,4}}\s{_W}{{0,4}}difference\b",
            r"\bpartial(?:ly)?\s+refund",
            r"\brefund\s+(?:me\s+)?(?:a\s+)?(?:part|half|some)\b",
            rf"\b(?:want|like|expect|give|get|offer|deserve)\s{_W}{{0,4}}(?:discount|voucher|rebate|credit\s+for\s+the)\b",
            r"\bfor\s+(?:the|my|all\s+the)\s+(?:trouble|inconvenience|hassle|delay)\b",
        ),
    ),
    (
        Kind.SENT,
        _any(
            r"\b(?:I|we)(?:'ve|\s+have)?\s+(?:already\s+|just\s+)?(?:returned|dropped\s+off)\b",
            rf"\b(?:I|we)(?:'ve|\s+have)?\s+(?:already\s+|just\s+)?(?:sent|shipped|posted|mailed|brought)\s+(?:{_W}){{0,5}}?back\b",
            r"\balready\s+(?:returned|sent\s+back)\b",
        ),
    ),
    (
        Kind.EXCHANGE,
        _any(
            r"\bexchang(?:e|es|ed|ing)\b",
            r"\bswap(?:s|ped|ping)?\b",
            r"\breplac(?:e|ed|ing|ements?)\b",
            r"\btrade\s+(?:it|them|this|that|the|my)\b",
            r"\b(?:different|another|other)\s+(?:size|colou?r|option|variant|model|version|style)\b(?=.{0,40}\binstead\b)",
        ),
    ),
    (
        Kind.MODIFY,
        _any(
            r"\bmodif(?:y|ies|ied|ying|ications?)\b",
            rf"\b(?:chang|updat|correct|switch|edit|amend)(?:e|es|ed|ing|s)?\s+(?:{_W}){{0,4}}?"
            r"(?:address|payment|items?|delivery|order|quantity|colou?r|size)\b",
            rf"\b(?:ship|deliver|send)\s+(?:{_W}){{0,3}}to\s+(?:a|another|my)\s+(?:{_W})?address\b",
            rf"\badd\s{_W}{{0,4}}to\s+(?:my|the|this)\s+order\b",
        ),
    ),
    (
        Kind.CANCEL,
        _any(
            r"\bcan(?:cel|cle|sel|cell)(?:l?ing|l?ation)?\b",
            r"\bcall(?:ing)?\s+off\b",
            r"\bannul\b",
            r"\brevoke\b",
            rf"\b(?:stop|halt|withdraw|void|scrap|drop)\s+(?:my\s+|the\s+|this\s+|that\s+)?(?:{_W})?order\b",
            r"\bcall\s+(?:my\s+|the\s+|this\s+)?order\s+off\b",
        ),
    ),
    (
        Kind.RETURN,
        _any(
            r"\b(?:return|retrun|retunr|reutrn)(?:s|ing)?\b(?!\s+(?:address|polic|label|window|period))",
            r"\b(?:be|get|it|them|like|want|have|having)\s+returned\b",
            rf"\b(?:send|sending|giv(?:e|ing)|hand(?:ing)?|bring(?:ing)?|ship(?:ping)?|tak(?:e|ing))\s+"
            rf"(?:(?!{_MONEY}\b)[\w'#(),-]{{1,24}}\s+){{0,8}}?back\b(?!\s+(?:my|the)\s+{_MONEY})",
            r"\b(?:go|goes|going)\s+(?:straight\s+)?back\b",
            rf"(?:n'?t|\bnot|\bno\s+longer)\s+(?:{_W}){{0,3}}?keep(?:ing)?\b",
            r"(?<!money)(?<!money\s)\bback\s+please\b",
        ),
    ),
    (
        Kind.REFUND,
        _any(
            r"\brefund(?:s|ed|ing)?\b",
            r"\breimburse(?:d|ment)?\b",
            rf"\b{_MONEY}\s+(?:{_W}){{0,2}}?back\b",
            rf"\b(?:get|want|have|send|give|put|transfer|credit|return|pay)\s+(?:me\s+)?(?:back\s+)?(?:{_W})?(?:my|the)\s+money\b",
            r"\bpay\s+(?:me\s+|it\s+)?back\b",
            r"\bback\s+(?:to|on|onto)\s+(?:my\s+|the\s+)?(?:pay|card|visa|gift|credit|master|original|same)",
            r"\bcredit\s+(?:it|my|the|this)\b",
        ),
    ),
    (
        Kind.ERRAND,
        _any(
            r"\binvoice\b",
            r"\btracking\s+(?:number|code|link|id)\b",
            r"\bcopy\s+of\s+(?:the|my)\s+receipt\b",
            r"\bwhere\s+(?:is|are|'s)\b(?!\s+(?:my|the)\s+(?:refund|money))",
            r"\bwhen\s+(?:will|does|is|are|do)\b",
            r"\bwarranty\b",
            r"\brepair(?:s|ed|ing)?\b",
            r"\b(?:close|delete)\s+my\s+account\b",
            r"\bpassword\b",
        ),
    ),
)

NEGATION = re.compile(
    r"(?:\b(?:do|does|did|would|will|wo|ca|can|could|should|must|is|am|are)\s?n['o]?t|\bnot|\bnever|\bno\s+longer|"
    r"\bwithout|\binstead\s+of|\brather\s+than|\bno\s+need\s+to|\bno)\s+"
    r"(?:(?:want|wish|like|need|needing|going|planning|intend|asking|trying|to|for|the|a|an|you|be|have|really|"
    r"please|just|it|them|any|looking|after)\s+){0,5}$",
    re.IGNORECASE,
)

# A wish taken back, or made to depend on an answer: nothing may be done before it is cleared up.
RETRACTED = _any(
    r"\b(?:actually|wait|sorry|hang\s+on|oh)\b[\s,.!-]{1,4}(?:no|not|don'?t|keep|leave|forget|ignore|scratch)\b",
    r"\bnever\s?mind\b",
    r"\bscratch\s+that\b",
    r"\bon\s+second\s+thoughts?\b",
    r"\bforget\s+(?:it|that|about\s+it|what\s+I)\b",
    r"\b(?:ignore|disregard)\s+(?:this|that|my|the)\s+(?:request|message|mail|email|above|last)\b",
)
TENTATIVE = _any(
    r"\bhow\s+(?:do|can|would|does|should)\s+(?:I|we|one)\b",
    r"\bam\s+I\s+(?:able|allowed|eligible|entitled)\b",
    r"\bwhat\s+(?:if|happens)\b",
    r"\b(?:confirm|tell\s+me|know|wonder\w*)\s+(?:that|whether|if)\b",
    r"\bwhether\s+(?:I|we|to)\b",
    r"\b(?:might|may|thinking\s+of|considering)\s+"
    r"(?:return|cancel|send)",
    r"\bif\s+(?:you|it|that|this|not|there)\b(?!\s+(?:would|could|don'?t\s+mind|is\s+possible|is\s+ok|were))",
    r"\bunless\s+you\b",
    r"\botherwise\b",
    r"\bone\s+of\s+(?:them|these|those|the\s+(?:two|three|items|articles|products|things))\b",
    r"\b(?:either|maybe|perhaps|probably|not\s+sure|I\s+think|I\s+guess)\b",
)

NO_LONGER_NEEDED = _any(
    rf"\bno\s+longer\s+(?:{_W}){{0,2}}?(?:need|want|require|use|necessary|wanted)",
    rf"\b(?:don'?t|do\s+not|doesn'?t|dont|not|isn'?t|won'?t)\s+(?:{_W}){{0,2}}?(?:need|needed|want|wanted|require|required)"
    r"\b(?=.{0,40}\b(?:any\s?more|any\s?longer|now)\b)",
    r"\b(?:don'?t|do\s+not|dont|not)\s+(?:actually\s+|really\s+)?need(?:ed)?\s+(?:it|this|that|them|the|these)\b",
    r"\bno\s+(?:more|further)\s+(?:need|use)\b",
    r"\bneed\s+it\s+no\s+(?:more|longer)\b",
    r"\bnot\s+needed\b",
)
BY_MISTAKE = _any(
    r"\b(?:by|in|a|my|was)\s+(?:a\s+|my\s+)?(?:mistake|accident|error)\b",
    r"\bmistaken(?:ly)?\b",
    r"\baccident(?:al|ally|ly)\b",
    r"\berroneous(?:ly)?\b",
    r"\b(?:did\s*n['o]?t|never)\s+(?:mean|meant|intend(?:ed)?)\s+to\s+"
    r"(?:order|buy|place)",
    r"\bunintentional(?:ly)?\b",
    r"\bmis-?click",
    r"(?<!your )\bmistake\b",
)
OTHER_REASON = _any(
    r"\bcheap(?:er|ly)?\b",
    r"\b(?:for|costs?|at)\s+less\b",
    r"\b(?:better|lower|best)\s+(?:price|deal|offer)\b",
    r"\b(?:too|so|very|really|quite)\s+(?:long|slow|late|expensive|dear|pricey|much)\b",
    r"\b(?:late|delayed|delay|slow)\b",
    r"\breviews?\b",
    r"\bratings?\b",
    r"\bput\s+(?:me|us)\s+off\b",
    r"\b(?:took|takes?|taking)\s+(?:\w+\s+){0,3}(?:long|ages|forever)\b",
    r"\b(?:colou?r|quality|service|style|size)\b",
    r"\b(?:not|n'?t|dont|doesnt|cannot|can'?t|never)\s+(?:\w+\s+){0,2}?(?:like|love|trust|afford)\b",
    r"\belsewhere\b",
    r"\b(?:another|other|different)\s+(?:shop|store|seller|place)\b",
    r"\bmoney\s+is\s+tight\b",
)
SOME_REASON = _any(r"\b(?:because|since|as|due\s+to|reason)\b")
