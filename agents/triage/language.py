"""Names the language of a message where it is obvious, else says nothing.
Pure: no Django, clock, network or settings.
"""

import re
from collections import Counter

_SCRIPTS = {
    "ja": r"[\u3040-\u30ff]",
    "ko": r"[\uac00-\ud7af]",
    "zh": r"[\u4e00-\u9fff]",
    "el": r"[\u0370-\u03ff]",
    "he": r"[\u0590-\u05ff]",
    "th": r"[\u0e00-\u0e7f]",
}
"""Scripts that one language of note writes; Cyrillic and Arabic letters name no single one."""

_COMMON_WORDS = {
    "de": "ich nicht und der die das ist wurde mein meine wie bitte mit für auf habe kann wir sie eine",
    "fr": "je ne pas et le la les est mon ma comment avec pour sur suis vous nous une des votre du ai",
    "es": "yo no y el la los es mi cómo con para por favor una puedo está pero que del mis han",
    "it": "io non e il la gli è mio mia come con per una posso sono che del ho grazie vostro",
    "nl": "ik niet en het de een is mijn hoe met voor op ben wij jullie kan heb van geen maar",
    "pt": "eu não e o a os é meu minha como com para uma posso está que do da obrigado meus",
    "pl": "nie jest i w na się mój moja jak z do czy proszę mam to moje było",
    "en": "i not and the is my how with for on am you we a an can have of no but do to it what this",
}
_WORDS_OF = {code: frozenset(words.split()) for code, words in _COMMON_WORDS.items()}
_FEWEST_HITS = 4


def name_language(text: str) -> str:
    """ISO 639-1 code of an obvious language other than English, "" if it is English or not clear."""
    spoken = obvious(text)
    return "" if spoken == "en" else spoken


def obvious(text: str) -> str:
    """ISO 639-1 code of an obvious language, English among them; "" if it is not clear."""
    letters = sum(c.isalpha() for c in text)
    for code, script in _SCRIPTS.items():
        if letters and len(re.findall(script, text)) > letters * (0.1 if code == "ja" else 0.5):
            return code
    spoken = re.findall(r"\w+", text.lower())
    hits = Counter({code: sum(word in words for word in spoken) for code, words in _WORDS_OF.items()})
    (first, most), (_, next_most) = hits.most_common(2)
    return first if most >= _FEWEST_HITS and most > next_most else ""
