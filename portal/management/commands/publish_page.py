"""`publish_page`: the next version of a policy page, from a JSON file."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from portal import pages, workspace
from portal.models import Page


class SentenceForm(BaseModel):
    """One clause."""

    model_config = ConfigDict(extra="forbid")

    clause_id: Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[A-Za-z0-9._-]+$")]
    section: Annotated[str, Field(max_length=80, pattern=r"^[^\x00]*$")] = ""
    text: Annotated[str, Field(min_length=1, max_length=4000, pattern=r"^[^\x00]*$")]


class PageForm(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid")

    slug: str
    title: Annotated[str, Field(pattern=r"^[^\x00]*$")]
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"
    readers: list[str] = Field(default_factory=lambda: list(pages.EVERYBODY))
    effective_from: AwareDatetime | None = None
    clauses: list[SentenceForm]


class Command(BaseCommand):
    """Parse, one call, print; everything else is `portal.pages`."""

    help = (
        "Publishes the next version of a policy page from a JSON file with slug, title, clauses (clause_id, section,"
        " text) and perhaps language, readers and effective_from. The same file again is a no-op."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and where to."""
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--workspace", metavar="SLUG", help="needed where there are several")

    def handle(self, *_: Any, **options: Any) -> None:
        """Publish; exit code 2 and one line when the input is wrong."""
        try:
            form = PageForm.model_validate(json.loads(options["file"].read_text(encoding="utf-8")))
            key = workspace.find(options["workspace"])
            with workspace.within(key) as now:
                page = _publish(key, form, now)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise CommandError(f"{options['file'].name}: {where}: {first['msg']}", returncode=2) from error
        except (OSError, ValueError, LookupError) as error:
            raise CommandError(f"{options['file'].name}: {error}", returncode=2) from error
        self.stdout.write(f"{page.slug} version {page.version}, in force from {page.effective_from.isoformat()}")


def _publish(key: int, form: PageForm, now: datetime) -> Page:
    return pages.publish(
        workspace=key, slug=form.slug, title=form.title, language=form.language, readers=form.readers,
        effective_from=form.effective_from, actor="system:command", now=now,
        sentences=[pages.Sentence(one.clause_id, one.section, one.text) for one in form.clauses],
    )  # fmt: skip
