"""Phrases that speak to a machine, not to the staff, by what they try. Pure: no Django, clock, network or settings.

One of them is enough; what is weaker by itself stands in `agents.hostile_cues`.
"""

import re

_ORDERS = r"(?:instructions?|prompts?|directions?|directives?|commands?|guidelines|rules|programming|tasks?)"
_EARLIER = r"(?:previous|prior|preceding|earlier|above|foregoing|following|initial|original|existing|current)"
MACHINE = (
    r"(?:a\.?i\.?|artificial intelligence|(?:large )?language model|llm"
    r"|chat ?gpt|gpt-?\d{0,2}|chat ?bot|assistant model)"
)
_UTTER = r"(?:say|print|output|write|repeat|reply|respond|answer|report|state|include|display|spell)"
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
    rf" (?:an? |the |any |all )?{MACHINE}\b",
    rf"^[^\w\n]{{0,8}}(?:hey |hi |hello )?{MACHINE}(?: assistants?| agents?| models?)?\s?:",
    rf"\b(?:you are|you're|as|be) (?:an? |the )(?:\w+ )?{MACHINE}\b",
    rf"\b{MACHINE} (?:programmed|created|developed|trained|designed)\b",
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
# What follows does not list sayings but puts them together: who is spoken to, what is dismissed, what is asked for.
READER = (
    rf"(?:{MACHINE}|(?:virtual |digital |automated? )?assistants?|(?:ai |automated )?agents?|bots?"
    r"|automat\w+ (?:\w+ )?(?:reviewers?|systems?|tools?|readers?|software|process\w*)|(?:language )?models?)"
)
_SECRET = (
    r"(?:(?:system|hidden|secret|initial|internal|original|developer|starting|your)\s+(?:\w+\s+)?"
    r"(?:prompts?|instructions?|directives?|guidelines|rules|context|configuration|programming|messages?)"
    r"|(?:api|secret|access) keys?|credentials"
    r"|(?:instructions|orders|rules)(?: that| which)? you(?:'ve| have)? (?:received|got|follow\w*|obey\w*)"
    r"|(?:conversation|chat|dialogue) from"
    r"|(?:names?|addresses|orders?|e-?mails?|data|lists?|details|links?|codes?"
    r"|passwords?)(?: \w+ \w+)? of (?:all|every|each|other"
    r"|the (?:last|other) \w+)\b[^.!?\n]{0,20}\b(?:customers?|users?|clients?|people)|(?:list"
    r"|names) of (?:all )?customers"
    r"|(?:text|words?|lines?|sentences?|everything|anything|all)(?: that)?(?: stands?| is| was| came| written)?"
    r" (?:above|before) (?:this|here)|(?:words|instructions|text|prompt|rules|orders)(?: that"
    r"| which)? (?:you (?:were|have been|had"
    r" been)|(?:were|was|have been|has been)) (?:given|told|shown|fed)(?: to you| before)?)"
)
_TELLING = (
    r"(?:print|reveal|show|repeat|output|display|leak|dump|recite|paste|quote|copy|disclose|summari[sz]e|translate"
    r"|encode|list|expose|attach|include|reply with|send me|give me|tell me|write (?:out|down)"
    r"|what (?:is|are|were|was|do|did))"
)
_ADDRESSED = (
    rf"^\W{{0,8}}(?:\d{{1,2}}[.)]\s*)?(?:(?:p\.? ?s\.?|hey|hi|hello|dear|attention|note|memo)\W{{0,3}})?"
    rf"(?:to (?:the |all |any |every )?)?(?:{MACHINE}(?: (?:assistant|agent|model)s?)?|assistant(?= reading))"
    rf"(?: (?:reading|processing|handling|that reads|who reads)[^:,\n]{{0,30}})?\s?[:,]\s*\S",
    rf"\b(?:note|message|instructions?|attention|memo|hint|p\.? ?s\.?)\W{{0,3}}(?:to|for) (?:the |all |any "
    rf"|every )?{READER}\b",
    rf"\b(?:as|if you (?:are|'re)|you,?|you are|the) (?:an? |the )?{MACHINE}\b[^.!?\n]{{0,40}}\b(?:you|must"
    rf"|should|shall|will|do)\b",
    rf"\bthe (?:{MACHINE}|assistant) (?:must|should|shall|is to|has to|needs to|will now)\b",
)
_DISMISSING = (
    r"(?:^|[.!?:;,\"]\s*|\b(?:and|please|must|now|then|to|should|you (?:can|may|will|should|must)) )"
    r"(?:ignore|disregard|forget|override|bypass|drop|dismiss|discard|do not (?:follow|obey|apply|use|heed)"
    r"|don't (?:follow|obey|apply|heed)|stop (?:following|obeying|applying)|pay no (?:attention|heed) to)\b"
    rf"{_WITHIN}{{0,25}}\b(?:(?:everything|anything|all|whatever)(?: (?:that|of what))?(?: you(?:'ve| have| were)?|"
    r" (?:\w+ )?(?:above|before|so far|until now|up to (?:here|now)))"
    rf"|(?:guidelines|policy|policies|programming|safeguards|checks|training|{_ORDERS} (?:above|before|so far"
    rf"|given|you))\b"
    rf"(?={_WITHIN}{{0,30}}\b(?:you (?:were|have|are|got)|above|given|before|so far)\b))",
    r"\b(?:new|real|actual|true|only|updated|next) (?:instructions?|orders?|task|rules?|objective|goal)"
    r" (?:follows?|begins?|starts?|now (?:is|are)|(?:is|are) (?:as follows|below|now|to))\b",
    r"\byour (?:only|new|real|true|actual|sole|next) (?:\w+ )?(?:rules?|task|goal|role|purpose|instructions?"
    r"|objective|job)\b",
    r"\b(?:from (?:here|now|this (?:point|moment|line))(?: on(?:wards?)?)?|henceforth)\b,?\s+you (?:are|will"
    r"|must|shall|have)\b"
    rf"{_WITHIN}{{0,20}}\b(?:to |be |act|treat|obey|answer|respond|ignore|follow|speak)",
)
_EXTRACTING = (
    rf"\b{_TELLING}\b{_WITHIN}{{0,50}}\b{_SECRET}(?!\s+(?:for|on|about|to (?:return|use|set|install)))",
    r"!\[[^\]\n]*\]\(\s*https?://",
    r"\b(?:rot-?13|base-?64)\b",
)
_STAGING = (
    r"^[^\w\n]{0,8}(?:tool|function|api|retrieval|search|policy)[ _-]?(?:results?|outputs?|calls?|responses?"
    r"|updates?)\b"
    rf"{_WITHIN}{{0,40}}[:=]",
    r"^\W{0,4}(?:observation|thought|action(?: input)?|final answer)\s?:[^\n]*\n\W{0,4}"
    r"(?:observation|thought|action(?: input)?|final answer)\s?:",
    r"\"(?:tool|tool_name|function|action|recipient_name)\"\s*:\s*\"[^\"\n]+\"\s*,\s*\"(?:args|arguments"
    r"|parameters|input)\"",
    r"\"role\"\s*:\s*\"(?:system|assistant|developer|tool)\"",
    r"\b(?:execute|run|make|perform|invoke|trigger) (?:the |this |these |following )*(?:tool|function|api) calls?\b",
    r"^\W{0,8}(?:begin|start|end) (?:of )?(?:the )?(?:\w+ )?(?:admin\w*|system|developer|root|operator|override)\b"
    r"(?: (?:message|prompt|instructions?|mode|note|section|block))?\W{0,8}$",
    r"\b(?:enable|enter|activate|switch (?:in)?to|turn on|start|engage)\b[^.!?\n]{0,20}\b(?:maintenance"
    r"|developer|debug|admin"
    r"|god|root|test|unrestricted|uncensored|sudo|super ?user) mode\b",
    r"\b(?:classify|label|mark|rate|score|rank|categori[sz]e|treat|route) this (?:message|text|ticket|e?mail"
    r"|case|request)"
    r"\b[^.!?\n]{0,20}\b(?:as|to|with)\b[^.!?\n]{0,60}\b(?:regardless|no matter|whatever|always|even (?:if|though))\b",
    r"\b(?:user|human|customer)\s?:[^\n]{2,200}\b(?:assistant|ai|bot|agent)\s?:",
    r"\byou(?:'re| are) now (?-i:[A-Z])\w+|\bonly (?:respond|reply|answer) with\b"
    r"|\bif you can read this,? (?:reply|say|answer|write|print)",
    r"\b(?:\w+ )?(?:human|manual|staff) (?:approval|review|checks?) (?:is|are|has been|have been"
    r"|was) (?:now )?(?:disabled|off|lifted"
    r"|suspended|switched off|no longer)",
    r"\bthis overrides\b|\b(?:scrap|set aside|throw away|drop) (?:the|your|all|any) (?:\w+ )?(?:rules|guidance"
    r"|instructions|polic\w+)\b",
    r"\b(?:is|are) to be (?:scored|rated|ranked|graded|classified|labelled) ",
)
_TONGUES = (
    (
        r"(?:ignorier|vergiss|vergesst|missacht|\u00fcbergeh)\w*",
        r"(?:alle|vorherig\w*|bisherig\w*|obig\w*|deine|fr\u00fcher\w*)",
        r"(?:anweisung|instruktion|vorgab|regel|befehl|richtlinie)\w*",
    ),
    (
        r"(?:ignore[zr]?|oublie[zr]?|n\u00e9glige[zr]?)",
        r"(?:tou(?:te)?s|pr\u00e9c\u00e9dent\w*|ant\u00e9rieur\w*|tes|vos|ci-dessus)",
        r"(?:instructions?|consignes?|r\u00e8gles?|directives?|ordres?)",
    ),
    (
        r"(?:ignor[ae]\w*|olvid[ae]\w*|omit[ae]\w*)",
        r"(?:tod[ao]s|anterior\w*|previ[ao]s|tus|sus)",
        r"(?:instrucci(?:\u00f3n|ones)|reglas?|\u00f3rdenes|indicaciones|directrices)",
    ),
    (
        r"(?:ignor[ai]\w*|dimentic\w*|trascur\w*)",
        r"(?:tutt[ei]|precedent[ei]|tue|vostre|le)",
        r"(?:istruzion[ei]|regol[ae]|direttive|ordini|indicazioni)",
    ),
    (
        r"(?:ignor[ea]\w*|esque[\u00e7c]a\w*|desconsider\w*)",
        r"(?:tod[ao]s|anterior\w*|pr\u00e9vi[ao]s|suas|tuas)",
        r"(?:instru\u00e7(?:\u00e3o|\u00f5es)|regras?|ordens|diretrizes)",
    ),
    (
        r"(?:negeer|vergeet)\w*",
        r"(?:alle|vorige|eerdere|voorgaande|bovenstaande|je|jouw)",
        r"(?:instructies?|aanwijzingen|regels?|opdrachten|richtlijnen)",
    ),
    (
        r"(?:zignoruj|ignoruj|zapomnij|pomi\u0144)\w*",
        r"(?:wszystki\w*|poprzedni\w*|wcze\u015bniejsz\w*|swoj\w*)",
        r"(?:instrukcj|polece\u0144|poleceni|regu\u0142|zasad)\w*",
    ),
)
_ABROAD = (
    *(rf"\b{verb}\b[^.!?\n]{{0,40}}\b{which}\b[^.!?\n]{{0,30}}\b{what}" for verb, which, what in _TONGUES),
    *(rf"\b{verb}\b[^.!?\n]{{0,20}}\b{what}\s+{which}\b" for verb, which, what in _TONGUES),
    r"\b(?:system-?prompt\w*|prompt (?:de|di|del|do|du) (?:sistema|syst\u00e8me)|syst\u00e8me? prompt"
    r"|prompt systemow\w*)",
    r"\b(?:du bist (?:jetzt|nun|ab jetzt) (?:ein|der|die)|tu es (?:maintenant|d\u00e9sormais) un|(?:ahora eres"
    r"|eres ahora) un"
    r"|(?:ora sei|sei ora) un|agora voc\u00ea \u00e9 um|je bent (?:nu|vanaf nu) een|jeste\u015b teraz)\w*\b",
)
_FAMILIES = (
    _OVERRIDING, _PRYING, _MARKING, _ADDRESSING, _CASTING, _UNBINDING, _DICTATING, _STEERING,
    _ADDRESSED, _DISMISSING, _EXTRACTING, _STAGING, _ABROAD,
)  # fmt: skip
SURE = tuple(re.compile(phrase, re.IGNORECASE | re.MULTILINE) for family in _FAMILIES for phrase in family)
