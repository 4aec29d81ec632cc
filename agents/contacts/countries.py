"""Countries to ISO 3166-1 alpha-2. Pure: no Django, clock, network or settings (names come with pycountry).

Reads codes and names in many languages, compared as bags of words. A region, several countries, or a name
that two countries share is flagged.
"""

import gettext
import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

import pycountry

from agents.contacts.cleaned import Cleaned, flag, plain, tidy
from portal.retold import kept

_LANGUAGES = (
    "es fr de it pt pt_BR nl sv da nb_NO fi is pl cs sk hu ro hr sl bg el tr ru uk lt lv et ca eu gl cy ga"
    " ja zh_CN zh_TW ko ar he fa hi th vi id ms"
).split()
# Names in daily use that ISO 3166 and its translations do not hold: display names of the Unicode CLDR, and
# spellings of the United Nations in French and Spanish.
_ALIASES = {
    "AE": "UAE|Emirates",
    "BA": "Bosnia",
    "BD": "Bangla Desh",
    "BH": "Bahrein",
    "BN": "Brunei",
    "BQ": "Caribbean Netherlands",
    "BW": "Botsuana",
    "CC": "Cocos Islands|Keeling Islands",
    "CD": "Congo Kinshasa|DR Congo|DRC|Congo Democratic Republic|Zaire",
    "CG": "Congo Brazzaville|Congo Republic",
    "CI": "Ivory Coast|Costa de Marfil|Elfenbeinküste|Cote dIvoire|Costa do Marfim",
    "CN": "PRC|Mainland China",
    "CV": "Cape Verde|Cap-Vert",
    "CX": "Isla Christmas|Île Christmas",
    "CZ": "Czech Republic|Tchéquie|Tschechien|República Checa|République tchèque",
    "DE": "BRD|Germany Federal Republic",
    "FJ": "Îles Fidji",
    "FK": "Falklands|Falkland Islands|Malvinas|Islas Malvinas",
    "FM": "Micronesia",
    "GB": "UK|U.K.|Great Britain|Britain|England|Scotland|Wales|Northern Ireland|Angleterre|Inglaterra",
    "GS": "South Georgia",
    "HK": "Hong Kong SAR|Hong Kong SAR China|China Hong Kong Special Administrative Region"
    "|Chine région administrative spéciale de Hong Kong|China región administrativa especial de Hong Kong",
    "HM": "Heard and McDonald Islands",
    "IR": "Persia",
    "KG": "Kirghizistan|Kirguistán",
    "KP": "North Korea|Corée du Nord|Corea del Norte|Nordkorea",
    "KR": "South Korea|Corée du Sud|Corea del Sur|Südkorea",
    "KY": "Îles Caïmanes|Islas Caimanes|Caymans",
    "KZ": "Kazajstán",
    "LA": "Laos",
    "MF": "Saint Martin|Saint-Martin partie française|Saint Martin French part",
    "MK": "Macedonia",
    "MM": "Burma|Myanmar Burma",
    "MO": "Macau|Macau SAR|Macao SAR China|China Macao Special Administrative Region"
    "|Chine région administrative spéciale de Macao|China región administrativa especial de Macao",
    "MU": "Isla Mauricio",
    "MV": "Islas Maldivas",
    "NL": "Holland|Hollande|Holanda",
    "NZ": "Nueva Zelandia",
    "PN": "Pitcairn Islands|Pitcairn",
    "PS": "Palestine|Palestinian Territories|State of Palestine",
    "RU": "Russia|Russie|Rusia|Russland|Россия",
    "SH": "Saint Helena|Sainte-Hélène|Santa Elena",
    "ST": "São Tomé and Príncipe",
    "SX": "Sint Maarten|Saint-Martin partie néerlandaise",
    "SY": "Syria|Syrie|Siria",
    "SZ": "Swaziland",
    "TF": "French Southern Territories",
    "TK": "Tokélaou",
    "TL": "East Timor",
    "TR": "Turkey",
    "TT": "Trinidad y Tabago",
    "TZ": "Tanzania",
    "UM": "US Outlying Islands",
    "US": "USA|U.S.|U.S.A.|United States|États-Unis|EE.UU.|Estados Unidos|Vereinigte Staaten|アメリカ|米国",
    "VA": "Vatican|Vatican City|Holy See",
    "VC": "Saint Vincent and Grenadines",
    "VG": "British Virgin Islands",
    "VI": "US Virgin Islands|U.S. Virgin Islands|American Virgin Islands",
    "WF": "Îles Wallis-et-Futuna",
}
_LITTLE_WORDS = frozenset(
    "the of and a an de la le les l los las el del du des d et y e da do dos das di der die und en i".split()
)
_FORMS_OF_STATE = frozenset(
    "republic kingdom state states commonwealth principality federal federation federative confederation"
    " union democratic people s peoples socialist islamic arab hashemite sultanate grand duchy independent"
    " plurinational bolivarian oriental eastern sovereign cooperative co operative emirate"
    " republica republique royaume reino estado etat principado principaute".split()
)
# What is left of these formal names without the form of state is claimed by two states.
_DIVIDED = frozenset({"china", "chine", "korea", "corea", "coree", "congo"})
_ABBREVIATIONS = {"st": "saint", "ste": "saint", "sainte": "saint", "rep": "republic", "is": "islands"}
_Bag = frozenset[str]
_NO_COUNTRY = kept("names no one country")
_CODE = kept("the two-letter code of ISO 3166")


def clean(raw: str) -> Cleaned:
    """ISO 3166-1 alpha-2 in `value`."""
    text = tidy(raw)
    if not text:
        return Cleaned(raw)
    code = find(text)
    if code is None:
        return flag(raw, _NO_COUNTRY)
    if code == raw:
        return Cleaned(raw)
    return Cleaned(code, "fix", _CODE, 0.98)


def find(text: str) -> str | None:
    """The alpha-2 code of a code or name, None if it is none or more than one."""
    letters = text.strip(" .").upper()
    by_code = pycountry.countries.get(alpha_2=letters) or pycountry.countries.get(alpha_3=letters)
    if by_code is not None:
        return str(by_code.alpha_2)
    bag = _bag(text)
    return _names().get(bag) or _by_formal_name(bag)


def _by_formal_name(bag: _Bag) -> str | None:
    short = bag - _FORMS_OF_STATE
    return None if not short or short & _DIVIDED else _names().get(short)


def _bag(text: str) -> _Bag:
    """Words of a name without accents, order and little words; `St.` is Saint."""
    words = re.sub(r"(?<=\b\w)\.(?=\w\b)", "", plain(text))
    found = {_ABBREVIATIONS.get(word, word) for word in re.findall(r"\w+", words)}
    return frozenset(found - _LITTLE_WORDS) or frozenset(found)


@cache
def _names() -> Mapping[_Bag, str]:
    """English first, then the other languages; a bag that two countries share there names none."""
    english: dict[_Bag, str] = {}
    for code, name in [
        *_english_names(),
        *((c, n) for c, names in _ALIASES.items() for n in names.split("|")),
    ]:
        english.setdefault(_bag(name), code)
    foreign: dict[_Bag, str | None] = {}
    for code, name in _foreign_names():
        bag = _bag(name)
        foreign[bag] = code if foreign.get(bag, code) == code else None
    return MappingProxyType({bag: code for bag, code in (foreign | english).items() if code})


def _english_names() -> Iterator[tuple[str, str]]:
    for country in pycountry.countries:
        for kind in ("name", "common_name", "official_name"):
            if name := getattr(country, kind, ""):
                yield country.alpha_2, name
                if kind == "name" and "(" in name:
                    yield country.alpha_2, name.partition("(")[0]


def _foreign_names() -> Iterator[tuple[str, str]]:
    english = list(_english_names())
    for language in _LANGUAGES:
        translation = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language])
        for code, name in english:
            translated = translation.gettext(name)
            if translated != name:
                yield code, translated
                if "(" in translated:
                    yield code, translated.partition("(")[0]
