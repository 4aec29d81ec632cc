"""Each cleaner of the contacts agent by table: what it repairs, what it leaves, what it hands to a person."""

import pytest

from agents.contacts import countries, emails, fields, names, phones


@pytest.mark.parametrize(
    ("raw", "region", "value", "extension"),
    [
        ("020 7946 0123", "GB", "+442079460123", ""),
        ("+44 (0)20 7946 0123", "GB", "+442079460123", ""),
        ("0044 20 7946 0123", None, "+442079460123", ""),
        ("011 44 20 7946 0123", "US", "+442079460123", ""),
        ("＋８１－３－５５５０－０１２３", "JP", "+81355500123", ""),
        ("Tel.: (202) 555-0147", "US", "+12025550147", ""),
        ("📞 202.555.0147", "US", "+12025550147", ""),
        ("móvil 912 345 678", "ES", "+34912345678", ""),
        ("202.555.0147 x45", "US", "+12025550147", "45"),
        ("+1 202 555 0147, ext. 9", None, "+12025550147", "9"),
        ("tel:+1-202-555-0147", "US", "+12025550147", ""),
        ("030/23125-044", "DE", "+493023125044", ""),
    ],
)
def test_a_plain_number_becomes_e164(raw: str, region: str | None, value: str, extension: str) -> None:
    done = phones.clean(raw, region)
    assert (done.action, done.value, done.extension) == ("fix", value, extension)


@pytest.mark.parametrize("raw", ["", "   ", "+12025550147", "+442079460123"])
def test_an_empty_or_clean_number_stays(raw: str) -> None:
    assert phones.clean(raw, "US").action == "keep"


@pytest.mark.parametrize(
    ("raw", "region", "reason"),
    [
        ("+44 20 79XX XX23", "GB", "some digits are hidden"),
        ("202-555-xxxx", "US", "some digits are hidden"),
        ("XXX-555-0147", "US", "some digits are hidden"),
        ("+49 30 12345X78", "DE", "some digits are hidden"),
        ("+49 30 12345**", "DE", "some digits are hidden"),
        ("+49 30 12345...", "DE", "some digits are hidden"),
        ("+49 30 12345--", "DE", "some digits are hidden"),
        ("+49 30 12345••", "DE", "some digits are hidden"),
        ("1-800-FLOWERS", "US", "holds words or letters"),
        ("202 555 O147", "US", "holds words or letters"),
        ("not 202 555 0147", "US", "holds words or letters"),
        ("020 7946 0123 / 020 7946 0124", "GB", "holds two numbers"),
        ("+49 30 23125 123/24", "DE", "holds two numbers"),
        ("020 7946 0123", None, "lacks a country code, and the country is not known"),
        ("2025550147", None, "lacks a country code, and the country is not known"),
        ("+1 202 555", "US", "has too few digits for its country"),
        ("+1 202 555 0147 0148", "US", "has too many digits for its country"),
        ("+247 (0) 40123", "AC", "can be read as two numbers"),
        ("+1 102 555 0147", "US", "is no number in use in its country"),
    ],
)
def test_a_number_that_needs_a_guess_is_flagged(raw: str, region: str | None, reason: str) -> None:
    done = phones.clean(raw, region)
    assert (done.action, done.value, done.reason) == ("flag", raw, reason)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (" inga@example.org\n", "inga@example.org"),
        ("MAILTO:inga@example.org?subject=Hi", "inga@example.org"),
        ("Inga Holm <inga@example.org>", "inga@example.org"),
        ("<inga@example.org>", "inga@example.org"),
        ("inga@example.org.", "inga@example.org"),
        ("inga@example.org;", "inga@example.org"),
        ("Inga.Holm@Example.ORG", "Inga.Holm@example.org"),
        ("inga @ example.org", "inga@example.org"),
        ("inga\u200b@example.org", "inga@example.org"),
    ],
)
def test_an_address_is_taken_out_of_its_wrapping(raw: str, value: str) -> None:
    assert (emails.clean(raw).action, emails.clean(raw).value) == ("fix", value)


@pytest.mark.parametrize("raw", ["", " ", "inga+club@example.org", "Inga@example.org", "инга@пример.рф"])
def test_a_good_address_stays(raw: str) -> None:
    assert emails.clean(raw).action == "keep"


@pytest.mark.parametrize(
    "raw",
    [
        "inga at example.org",
        "inga(at)example.org",
        "inga@@example.org",
        "inga@example,org",
        "inga@example..org",
        "inga@",
        "inga.example.org",
        "in ga@example.org",
        "inga@example.org, holm@example.org",
        "inga@[192.0.2.1]",
    ],
)
def test_an_address_that_needs_a_guess_is_flagged(raw: str) -> None:
    done = emails.clean(raw)
    assert (done.action, done.value) == ("flag", raw)
    assert done.reason


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("se", "SE"),
        ("SWE ", "SE"),
        ("Sverige", "SE"),
        ("the Kingdom of Sweden.", "SE"),
        ("Schweiz", "CH"),
        ("OESTERREICH", None),
        ("Österreich", "AT"),
        ("日本", "JP"),
        ("Ελλάδα", "GR"),
        ("U.S.A.", "US"),
        ("uk", "GB"),
        ("St. Kitts & Nevis", "KN"),
        ("Congo - Kinshasa", "CD"),
        ("Republic of Ireland", "IE"),
        ("Dominican Rep.", "DO"),
        ("Korea, Republic of", "KR"),
        ("NA", "NA"),
        ("N/A", None),
        ("EU", None),
        ("EMEA", None),
        ("Korea", None),
        ("Republic of China", None),
        ("Chile or Peru", None),
        ("Chile & Peru", None),
        ("Niger", "NE"),
        ("Nigeria", "NG"),
        ("", None),
    ],
)
def test_a_country_is_found_by_code_or_name(raw: str, code: str | None) -> None:
    assert countries.find(raw) == code


def test_a_region_is_flagged_and_no_country_is_not() -> None:
    assert countries.clean("Scandinavia").action == "flag"
    assert countries.clean("").action == "keep"
    assert countries.clean("SE").action == "keep"


@pytest.mark.parametrize(
    ("raw", "email", "value"),
    [
        ("  Inga   Holm ", "", "Inga Holm"),
        ("INGA HOLM", "", "Inga Holm"),
        ("ANNE-MARIE O'HARA", "", "Anne-Marie O'Hara"),
        ("EUAN MCALPINE", "", "Euan McAlpine"),
        ("WALTER PIKE III", "", "Walter Pike III"),
        ("inga holm", "inga.holm@example.org", "Inga Holm"),
        ("josé peña", "jose.pena@example.org", "José Peña"),
    ],
)
def test_a_name_typed_in_haste_gets_its_capitals(raw: str, email: str, value: str) -> None:
    assert (names.clean(raw, email).action, names.clean(raw, email).value) == ("fix", value)


@pytest.mark.parametrize(
    "raw",
    ["", "Inga van der Holm", "Euan MacAlpine", "Yasmin al-Rashid", "Inga de' Rossi", "inga holm",
     "k.d. holm", "Holm GmbH", "HOLM LTD", "李 娜", "Inga HOLM", "Bo"],
)  # fmt: skip
def test_a_name_of_its_own_spelling_stays(raw: str) -> None:
    assert names.clean(raw, "post@example.org").action == "keep"


@pytest.mark.parametrize("raw", ["INGA VAN DER HOLM", "EUAN MACALPINE", "GIANNI D'ALBA", "IŞIL DEMİR", "JT HOLM"])
def test_capitals_that_need_a_guess_are_flagged(raw: str) -> None:
    assert names.clean(raw).action == "flag"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("UPPSALA", "Uppsala"),
        ("são paulo", "São Paulo"),
        ("STRATFORD-UPON-AVON", "Stratford-upon-Avon"),
        ("WASHINGTON DC", "Washington DC"),
        ("L'AQUILA", "L'Aquila"),
        (" New  York", "New York"),
        ("Den Haag", "Den Haag"),
        ("'s-Hertogenbosch", "'s-Hertogenbosch"),
    ],
)
def test_a_city_gets_the_usual_capitals(raw: str, value: str) -> None:
    assert fields.clean_city(raw).value == value


@pytest.mark.parametrize(
    ("raw", "country", "value"),
    [
        (" 972 05", "US", "97205"),
        (" 972 05", None, "97205"),
        ("75320 ", "SE", "753 20"),
        ("75320", "SE", "75320"),
        ("sw1a1aa", "GB", "SW1A 1AA"),
        ("2511 CV", "NL", "2511 CV"),
        (" 2511CV", "NL", "2511 CV"),
        ("150-0001", "JP", "150-0001"),
        ("K1A 0B1", None, "K1A 0B1"),
    ],
)
def test_a_postcode_is_spaced_as_its_country_writes_it(raw: str, country: str | None, value: str) -> None:
    assert fields.clean_postcode(raw, country).value == value


def test_an_address_keeps_its_lines_and_its_case() -> None:
    assert fields.clean_address(" 4  OLD Mill Ln \n\n Apt 3b").value == "4 OLD Mill Ln\nApt 3b"
