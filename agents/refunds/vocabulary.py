"""Word lists of the refunds agent. Pure: plain sets of lower-case words, English, each with its use."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Last words of product names that are left out in speech: the vacuum cleaner is the vacuum.
VAGUE_HEADS = _words(
    """
    cleaner device machine system
    """
)
# Words that may stand before a product called by its last word.
BEFORE_HEAD = _words(
    """
    the a an my our this that these those his her their its one two three four five six both all each
    every any some of x new old broken damaged defective faulty lovely little big small large same wrong
    only other said and or return returning refund back for single pair cracked scratched torn leaking
    second first last entire whole
    """
)
# Words that may follow it; another noun there would make another thing of it.
AFTER_HEAD = _words(
    """
    from in of out to on onto into for with and or is was are were has have had does doesn didn do did
    don that which who it because as since please i we you they he she but back goes go going came
    arrives arrived broke leaks order so too also by at if when while after before via not isn wasn aren
    weren keeps stopped wo won will would can could should got bought ordered this then now pls thanks
    just only i'd i'm i've we'd it's isn't wasn't doesn't didn't don't though again instead
    """
)
# Parts and extras: the case of a camera is not the camera.
PARTS = _words(
    """
    bag case cover strap lid cap charger cable box battery lead filter spare sleeve stand holder handle
    """
)
# Plain colours tell variants apart.
COLOURS = _words(
    """
    black white red blue green yellow orange purple pink brown grey gray silver gold beige navy
    """
)
# Words that open or close a letter and are nobody's name.
CLOSERS = _words(
    """
    best kind warm many kindest warmest regards wishes thanks thank you cheers sincerely yours
    faithfully truly greetings love ta thx merci danke gracias grazie cordialement saludos bien all the
    your mfg mit freundlichen grüßen grüssen viele liebe vriendelijke groet groeten with and in advance
    respectfully take care hello hi hey dear good morning evening afternoon day team sent please ciao
    bye later sir madam d'avance everyone everybody onegaishimasu yoroshiku
    """
)
# Capitalised words near the end of a letter that are no names.
NO_NAMES = _words(
    """
    paypal visa mastercard amex card credit gift order orders item items refund return cancel account
    iban usd eur gbp jpy customer support service asap now urgent ok yes no it this that i we my me not
    the a an what where when why how also monday tuesday wednesday thursday friday saturday sunday
    january february march april may june july august september october november december money
    """
)
# Everyday names of products, by the words of the recorded name without plural.
EVERYDAY = {
    "bicycle": ("bike",),
    "smartphone": ("phone", "mobile"),
    "wireless earbud": ("earphone", "earpod"),
    "headphone": ("headset",),
    "running shoe": ("trainer", "runner"),
    "sneaker": ("trainer",),
    "sunglass": ("shade",),
    "backpack": ("rucksack",),
    "luggage set": ("suitcase",),
    "vacuum cleaner": ("hoover", "vac"),
    "wristwatch": ("watch",),
    "t shirt": ("tee",),
    "laptop": ("notebook computer",),
    "patio umbrella": ("parasol",),
    "skillet": ("frying pan",),
}
