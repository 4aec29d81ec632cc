"""Cues that a text is a script for a machine: customers use one or two, never many at once. Pure: no Django, clock,
network or settings.
"""

import re

from agents.hostile_phrases import MACHINE, READER

CUES = tuple(
    re.compile(phrase, re.IGNORECASE | re.MULTILINE)
    for phrase in (
        r"\b(?:act|behave|respond|answer|reply|speak|talk|write|pose|think)(?:ing|s)? (?:\w+ )?(?:like|as)\b",
        r"\byou(?:'re| are| will be| were) (?:now |going to be |also )?(?:(?:an? |the |my |called |named )\w+"
        r"|(?-i:[A-Z]\w+))"
        r"|\b(?:take|have|play) the (?:part|role) of\b|\bin the role of\b|\broleplay\b",
        r"\byou (?:will|must|should|shall|can|cannot|can't|won't|do not|don't|never|always|may|have to|are to)"
        r" (?:always |never |not |only |also |now )?(?:respond|answer|reply|say|output|generate|provide|write|use|break"
        r"|refuse|mention|include|explain|give|start|create|pretend|speak|follow|obey|stay|keep|ask|act|play"
        r"|describe|begin)\b",
        r"\b(?:characters?|personas?|role-?play\w*|fiction\w*|hypothetical\w*|scenario|simulat\w+|story|novel"
        r"|sentien\w*"
        r"|imagin\w+|pretend\w*|dungeon|universe)\b",
        r"\b(?:prompts?|tokens?|language model|ai|chat ?bots?|gpt\w*|algorithm|neural|robot|artificial)\b",
        r"\b(?:my|the|your) (?:first|next|following) (?:request|question|prompt|command|task|sentence|input"
        r"|answer|response)\b",
        r"\b(?:restrict\w*|limitations?|guidelines|censor\w*|uncensored|filter\w*|ethic\w*|moral\w*|unethical"
        r"|disclaimers?"
        r"|warnings?|openly|unfiltered|taboo|explicit)\b"
        r"|\b(?:has|have|with) no (?:\w+ )?(?:polic|rule|limit|filter)\w*|\b(?:ignore|disregard|bypass|override)\b",
        r"[\[{<](?-i:[A-Z])[A-Za-z ,'_-]{2,60}[\]}>]|<!--|style\s?=\s?[\"'][^\"']*(?:display\s?:\s?none"
        r"|font-size\s?:\s?0)",
        r"\b(?:in (?:the |this |a )?(?:\w+ )?(?:format|style|tone|form|manner|voice) of|(?:following|this"
        r"|same) format|bullet points?"
        r"|markdown|code ?blocks?|paragraphs?|words long|step[- ]by[- ]step|headings?|outline|table)\b",
        r"\b(?:obey|comply|refuse|stay in|remain in|no matter what|under no circumstances|at all times"
        r"|do anything|whatever i"
        r"|without (?:question|exception|hesitation)|break (?:the )?(?:rule|character))\b",
        r"(?:^|[.!?:]\s+)(?:write|create|generate|compose|produce|describe|summari[sz]e|translate|explain|list"
        r"|develop|act"
        r"|pretend|imagine|simulate|respond|reply|answer)\b",
        r"\b(?:rules?|game|play|player)\b",
        r"\b(?:the )?user(?:'s)? (?:asks?|says?|wants?|inputs?|input|request\w*|query|will|may|types?|gives?"
        r"|provides?)\b|\buser input\b",
        r"\bi (?:will|'ll|type|give|want you|am going to|would like you|need you)\b[^.!?\n]{0,40}\b(?:you|type"
        r"|commands?|reply|provide)\b",
        r"\b(?:text|response|output|message|answer|reply)s? (?:should|must|will|shall|has to|have to|needs? to)\b",
        r"\b(?:no longer (?:apply|applies|valid|count)|(?:is|are|were|have been|has been) (?:lifted|suspended"
        r"|void|revoked|replaced"
        r"|superseded|overridden|disabled|a mistake)|(?:set|put|leave)(?:ting)? aside|aufgehoben|au\u00dfer kraft)\b",
        r"\b(?:your|previous|earlier|usual|normal|existing|these|those|all|any|new"
        r"|whatever)(?: \w+)? (?:guidance|polic(?:y|ies)|rules"
        r"|instructions|safety|training|directives?|programming|orders you)\b|\b(?:eure|deine"
        r"|ihre) (?:richtlinien|regeln|vorgaben)\b",
        r"\b(?:admin\w*|developer|debug|root|override|system|operator|sudo)\b\W{0,3}(?:\w+ )?(?:access|mode"
        r"|command|code|note|message"
        r"|privileges?|rights|override|settings)\b|\b(?:i am|i'm|this is) (?:your|the) (?:\w+ )?(?:developer"
        r"|creator|administrator"
        r"|owner|operator|engineer|programmer)\b",
        rf"\b(?:for|to|dear|hey|hi|hello|attention) (?:the |all |our )?{READER}\b|\bas an? {MACHINE}\b",
        r"\b(?:do not|don't|never|without) (?:mention\w*|tell\w*|reveal\w*|escalat\w*|flag\w*|report\w*"
        r"|inform\w*|ask\w* (?:any|a human))\b",
        r"\b(?:transfer|send|wire|pay out|approve|grant|refund|unlock|close|mark|issue|tag|forward|dump"
        r"|execute)(?: \w+)?"
        r" (?:all|every\w*|\d{2,}|full|highest|maximum|list|tickets?|memory|this as|refund)\b",
        r"\b(?:json|string|single word|the word|the phrase|all caps|verbatim|word for word)\b|\b(?-i:[A-Z]{5,})\b\W*$",
        r"\b(?:prompt injection|jail ?break\w*|exploit|payload)\b",
        r"\b(?:listen|answer|report|belong) (?:only|solely|exclusively) to me\b|\bnew (?:owner|master|boss|operator)\b",
        r"\b(?:internal|confidential|secret)s? (?:\w+ )?(?:secrets?|information|data|notes?|documents?)\b"
        r"|\binternal secrets\b",
    )
)
"""Customers use one or two of these in a message; a text of many is a script for a machine."""
