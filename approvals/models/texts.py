"""What a house says often: texts to begin a reply or a question with."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from portal.models import WorkspaceRow


class ReusableText(WorkspaceRow):
    """A text with gaps, in one language. It is changed, and ends by not being offered; each of that is on the log."""

    class Tongue(models.TextChoices):
        ENGLISH = "en", _lazy("English")
        GERMAN = "de", _lazy("German")

    class For(models.TextChoices):
        REPLY = "reply", _lazy("Reply")
        QUESTION = "question", _lazy("Question to the customer")
        HOLDING = "holding", _lazy("Holding message")

    name = models.CharField(_lazy("name"), max_length=60)
    language = models.CharField(_lazy("language"), max_length=2, choices=Tongue, default=Tongue.ENGLISH)
    used_for = models.CharField(_lazy("used for"), max_length=8, choices=For, default=For.REPLY)
    body = models.TextField(_lazy("text"), max_length=4000)
    offered = models.BooleanField(pgettext_lazy("field", "offered"), default=True)
    changed_at = models.DateTimeField(_lazy("changed at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("reusable text"), _lazy("reusable texts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "name", "language"], name="reusable_text_once"),
            models.CheckConstraint(condition=Q(language__in=["en", "de"]), name="reusable_text_language_known"),
            models.CheckConstraint(
                condition=Q(used_for__in=["reply", "question", "holding"]), name="reusable_text_use_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"
