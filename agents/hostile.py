"""Finds text that talks to the machine instead of to the staff. Pure: no Django, clock, network or settings.

It only flags and sets passages aside: a flag never proves an attack, and nothing found here is ever obeyed.
Read by the agents before they classify or quote what a stranger wrote.
"""

import base64
import binascii
import re
import unicodedata
from dataclasses import dataclass

INJECTION = "injection"
HIDDEN_TEXT = "hidden_text"

_ORDERS = r"(?:instructions?|prompts?|directions?|directives?|commands?|guidelines|rules|programming|tasks?)"
_EARLIER = r"(?:previous|prior|preceding|earlier|above|foregoing|following|initial|original|existing|current)"
_MACHINE = (
    r"(?:a\.?i\.?|artificial intelligence|(?:large )?language model|llm"
    r"|chat ?gpt|gpt-?\d{0,2}|chat ?bot|assistant model)"
)
_UTTER = r"(?:say|print|output|write|repeat|reply|respond|answer|report|return|state|include|display|spell)"
_DISMISS = r"(?:ignor|disregard|forget|overrid|overrul|bypass|neglect|skip)(?:e|ing)?"
_WITHIN = r"[^.!?\n]"  # inside one sentence
_BIDDING = (
    r"(?:^|[.!?,;:>\"]\s*"
    r"|\b(?:and|please|must|now|then|instead|just|only|simply|you (?:will|shall|should))\s+)"
)

_OVERRIDING = (
    rf"\b{_DISMISS}\b{_WITHIN}{{0,40}}\b{_EARLIER}\b{_WITHIN}{{0,30}}"
    rf"\b(?:{_ORDERS}|text|context|content|input|everything)",
    rf"\b{_DISMISS}\s+(?:all\s+)?(?:of\s+)?(?:your|these|those|any|every|all|the system)\b"
    rf"{_WITHIN}{{0,20}}\b{_ORDERS}",
    r"\b(?:ignore|disregard)\s+(?:all|any|every)\s+(?:the\s+)?(?:\w+\s+)?"
    r"(?:indicators?|findings|warnings?|evidence|criteria|safeguards?|restrictions?|polic(?:y|ies))\b",
    r"\boverride (?:the |all |any |every )?(?:\w+ )?(?:scor|review|check|result|setting|safety|polic"
    r"|decision)",
    r"\bfocus (?:exclusively|solely) on\b|\bstrictly (?:adhere|obey)\b",
    r"\b(?:new|additional|updated|special|following) instructions?\s?[:!]|\byour new (?:task|role|goal)\b",
    r"\bstop\s+(?:all (?:processing|tasks|instructions)|what you are doing)\b",
    r"\bbefore you (?:can )?(?:solve|do|complete|start|finish|continue with|proceed with)"
    r" (?:the|your|this|any) (?:\w+ )?tasks?\b",
)
_PRYING = (
    r"\b(?:system|hidden|secret)\s+(?:prompts?|instructions?)\b",
    r"\byour\s+(?:initial|starting|original|internal|full|exact)\s+(?:prompts?"
    r"|instructions?)\b(?!\s+(?:for|on))",
    r"\byour prompts?(?=\s*(?:[.!?,;:]|$|and\b|in\b|to me\b|verbatim\b))",
    r"\b(?:print|reveal|show|repeat|output|display|leak|dump|encode|translate|recite|what (?:is|are|were))\b"
    rf"{_WITHIN}{{0,40}}\b(?:(?:your|previous|prior|above)\s+(?:{_EARLIER}\s+)?"
    r"(?:instructions|directives|guidelines|programming|configuration|context)|system message|prompts?)\b"
    r"(?!\s+(?:for|on|about))",
    r"\b(?:repeat|spell|translate|recite|print)\b"
    rf"{_WITHIN}{{0,30}}\b(?:above|entire|whole|initial|previous)\b{_WITHIN}{{0,15}}"
    r"\b(?:text|conversation|message|prompt|context|document)\b",
    r"\byou (?:were|have been) (?:programmed|prompted|trained) (?:to|with|by|before|not)\b",
    r"\b(?:text|instructions|rules|prompt|orders) (?:that )?you (?:were|have been|are) given\b",
    r"\b(?:were those|was that) (?:instructions|prompt)\b|\bcomplete (?:this|the) sentence\b",
    r"\b(?:rot-?13|base-?64|hex|morse)[ -](?:encod|decod|string|text)",
    r"\b(?:en|de)cod\w+ (?:in|as|from|with) (?:rot|base|hex|morse)",
)
_MARKING = (
    r"^[^\w\n]{0,8}(?:to-?do|assistant|human|instructions?|new task|sudo|(?-i:SYSTEM|USER|AI))\s?[:>]\s*\S",
    r"##\s?\W{0,2}(?:system|instructions?|new|admin|assistant|end|begin|response|task)(?:\b|_)",
    r"<\s?/?\s?(?:system|information|instructions?|important|prompt|assistant|user|admin|task|im_start|sys)\b"
    r"[^>\n]{0,30}>",
    r"<\|[^|\n]{0,40}\|?>?|<<\s?/?sys\s?>>|[\[{](?:input|output|prompt|insert)\b[^\]}\n]{0,30}[\]}]",
    r"\[/?(?:inst|system|sys|admin|assistant|jailbreak|user)\b[^\]\n]{0,20}\]",
)
_ADDRESSING = (
    r"\b(?:dear|to you,?|(?:note|message|instructions?|attention) (?:to|for)|attention,?|if you(?: a|')re)"
    rf" (?:an? |the |any |all )?{_MACHINE}\b",
    rf"^[^\w\n]{{0,8}}(?:hey |hi |hello )?{_MACHINE}(?: assistants?| agents?| models?)?\s?:",
    rf"\b(?:you are|you're|as|be) (?:an? |the )(?:\w+ )?{_MACHINE}\b",
    rf"\b{_MACHINE} (?:programmed|created|developed|trained|designed)\b",
    r"\b(?:automated|automatic|machine)\s+(?:screening|analysis|review|evaluation|grading|summari\w+)"
    r"\s+(?:software|systems?|tools?|agents?|models?)\b",
    r"\b(?:jail ?break\w*|(?:developer|dan|god) mode|do anything now|uncensored|openai|chat ?gpt|gpt-?\d)\b",
)
_CASTING = (
    rf"{_BIDDING}(?:act|behave|respond|reply|answer|speak|pose|function|role-?play) (?:only )?"
    r"as (?:if you (?:are|were)|an? |the |my |two |both |\"|'|(?-i:[A-Z]{3}))",
    rf"\b(?:pretend|simulate|emulate)\b{_WITHIN}{{0,30}}\b(?:to be|you(?:'re| are| were)|that you|being"
    rf"|as an?)\b",
    r"\bimagine (?:that )?you(?:'re| are) (?:an? |the )",
    r"\b(?:from now on|from this (?:moment|point)(?: on\w*)?|henceforth|for the rest of this (?:chat"
    r"|conversation))"
    r",?\s+(?:you(?:'re| are| will| must| shall| have to)|i want you to|we will (?:be|play))\b",
    r"\byou(?:'re| are| will be|'ll be) (?:now |going to |to |about to )(?:be an? |act as|play|pretend"
    r"|in |free\b"
    r"|under |impersonate|simulate|take on|become|immerse|role-?play|generate)",
    r"\byou(?:'re| are) now (?:an? |the |my |[\"'“])",
    r"\bi want you to (?:act|play|be|pretend|become|ignore|imagine|assume)\b",
    r"\b(?:assume|take on|adopt|play) the (?:role|identity|personality|part|character) of\b",
    r"\b(?:in|break|stay in|remain in) character\b|\brole-?play(?:ing)? (?:as|a|the)\b|\b(?:your|this"
    r"|the) persona\b",
)
_UNBINDING = (
    r"\b(?:without|no|any|free (?:of|from)|bypass|ignor\w+)\s+(?:any |all )?(?:(?:moral|ethical|content"
    r"|safety)"
    r"(?: |,|/|or|and)+)+(?:legal )?(?:restrictions?|filters?|limits?|limitations?|guidelines|constraints?"
    r"|principles|boundaries|standards|considerations|policies)\b",
    r"\bact (?:\w+ )?(?:unethical|immoral|amoral|uninhibited|unrestricted)",
    r"\b(?:always|completely|totally)(?: \w+)? (?:amoral|uninhibited|unfiltered|unrestricted)\b",
)
_DICTATING = (
    rf"{_BIDDING}{_UTTER}\s?(?:only (?!after|if|when)|just |exactly |nothing but|verbatim|with (?:only"
    rf"|just)|(?:with )?[\"“`<])",
    rf"{_BIDDING}{_UTTER}\s?(?::|the (?:exact )?(?:word|phrase|text|following)s?\b)",
    rf"\b{_UTTER} in (?:json|base64|rot13|xml)\b",
    rf"\b(?:start|begin|end|preface|prefix|finish|precede) (?:each|every|all|your|any)\b{_WITHIN}{{0,30}}\b"
    r"(?:message|response|answer|repl(?:y|ies)|output|sentence)s?\b",
    r"\b(?:your|each|every|all) (?:next |first |whole )?"
    r"(?:message|response|answer|output|repl(?:y|ies)|role|task|goal|purpose|job)s?"
    r" (?:must|is to|are to|has to|(?:should|will|shall) (?:always|only|never|start|begin|end|contain"
    r"|consist))\b",
    r"\b(?:you|dan|he|she) (?:must|will|should|shall|have to) (?:always |never |not |only ){0,2}"
    rf"(?:{_UTTER}|refuse|obey|comply|follow (?:these|the|all)|generate|pretend|use (?:profanity|swear))\b"
    rf"{_WITHIN}{{0,40}}\b(?:rules?|user|everything|ethic\w*|legal\w*|moral\w*)\b",
)
_STEERING = (
    r"\b(?:set|change|assign|route|classify|label|mark)\b"
    rf"{_WITHIN}{{0,40}}\b(?:priority|queue|confidence|tier)\b{_WITHIN}{{0,25}}(?:\b(?:to|as)\b|=)"
    r"\W{0,3}(?:p[1-4]\b|\d|low|none|spam|general|[a-z]+_[a-z]+)",
    r"\bauto-?approv\w+|\b(?:without|skip|bypass|no) (?:need for )?(?:an? |any |the |further )?"
    r"(?:human|manual|staff) (?:review\w*|approval|check\w*)\b",
)
_FAMILIES = (_OVERRIDING, _PRYING, _MARKING, _ADDRESSING, _CASTING, _UNBINDING, _DICTATING, _STEERING)
_SURE = tuple(re.compile(phrase, re.IGNORECASE | re.MULTILINE) for family in _FAMILIES for phrase in family)

_HIDDEN = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
# Joiners belong into emoji and Arabic, Indic and Hebrew writing; inside Latin words they hide something.
_SMUGGLED = re.compile(
    r"[A-Za-z0-9][\u200b-\u200d\u2060-\u2064\ufeff\u00ad]+[A-Za-z0-9]"
    r"|[\u202a-\u202e\u2066-\u2069]"
    r"|(?<![\U0001f3f4\U000e0020-\U000e007e])[\U000e0020-\U000e007e]+"
)
_COMMENT = re.compile(r"<!--(.*?)(?:-->|\Z)", re.DOTALL)
_BLOCK = re.compile(
    r"<(information|system|instructions?|important|prompt|admin|task)\b[^>]{0,30}>.*?(?:</\1\s*>|\Z)",
    re.I | re.S,
)
_FEWEST_WORDS = 3
_ENCODED = re.compile(r"\b[A-Za-z0-9+/]{24,}={0,2}")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says to the staff (`matter`) and, line by line, to the machine (`passages`)."""

    matter: str
    flags: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()


def read(text: str) -> Reading:
    """Part the text: `matter` holds no hidden characters, no HTML comments and no line that gives orders.

    If lines leave too little, only ordering sentences go; if those do too, none: it must be routed.
    """
    visible = reveal(text)
    passages = tuple(dict.fromkeys(_orders(visible)))
    flags = [INJECTION] if passages or _smuggles_orders(text) else []
    if _SMUGGLED.search(text):
        flags.append(HIDDEN_TEXT)
    return Reading(_without_orders(visible), tuple(flags), passages)


def flags(text: str) -> tuple[str, ...]:
    """`injection` for text that instructs the machine, `hidden_text` for characters nobody can see."""
    return read(text).flags


def reveal(text: str) -> str:
    """The text as a person sees it: forms folded (NFKC), control and hidden characters taken out."""
    folded = unicodedata.normalize("NFKC", _HIDDEN.sub("", text))
    return "".join(c if c in "\n\t" or unicodedata.category(c) != "Cc" else " " for c in folded)


def _instructs(text: str) -> bool:
    return any(pattern.search(text) for pattern in _SURE)


def _orders(visible: str) -> list[str]:
    found = [block.group(0) for block in _BLOCK.finditer(visible)]
    return found + [line.strip() for line in visible.splitlines() if _instructs(line)]


def _smuggles_orders(text: str) -> bool:
    """Orders written in tag characters (Unicode block E0000) or in base64."""
    tags = "".join(chr(ord(c) - 0xE0000) for c in text if 0xE0020 <= ord(c) <= 0xE007E)
    return _instructs(tags) or any(_instructs(_decode(token)) for token in _ENCODED.findall(text)[:20])


def _decode(token: str) -> str:
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _without_orders(visible: str) -> str:
    open_text = _COMMENT.sub("\n", _BLOCK.sub("\n", visible))
    lines = [line for line in open_text.splitlines() if not _instructs(line)]
    sentences = [part for part in re.split(r"(?<=[.!?])\s+", open_text) if not _instructs(part)]
    for kept in ("\n".join(lines), " ".join(sentences)):
        if len(re.findall(r"\w{2,}", kept)) >= _FEWEST_WORDS:
            return kept.strip()
    return visible.strip()
