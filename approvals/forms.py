"""A form made from an action's schema: people never write JSON, and a field that the schema lacks is refused.

Choices come from the records (`approvals.manual`); the schema, the action and policy check everything again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

from approvals import wording
from approvals.actions.base import Arguments
from portal import figures, money, retold

# What stands in the page's form beside the fields of the schema.
ENVELOPE = frozenset({
    "csrfmiddlewaretoken", "revision", "digest", "key", "asks", "look", "looked", "opened", "wrote", "text",
    "insert",
})  # fmt: skip
# A select cannot tell "leave as it is" from "take it out"; this value says the second.
NONE = "(none)"
LONG = 200

Choices = Mapping[str, Sequence[tuple[str, str]]]


class ActionForm(forms.Form):
    """One input per property of the schema; a property that is a map gets one per known key.

    `initial_args` are arguments of the action, `fixed` names fields that may be seen and not changed,
    `present` the record's values per key of a map, `standing` fields that begin with the record's value. What begins so
    carries along what was shown: left as it was, it asks for nothing, whatever somebody else wrote meanwhile.
    """

    def __init__(
        self,
        schema: type[Arguments],
        *,
        choices: Choices,
        initial_args: Mapping[str, Any],
        fixed: frozenset[str] = frozenset(),
        present: Mapping[str, str] | None = None,
        standing: frozenset[str] = frozenset(),
        data: QueryDict | None = None,
    ) -> None:
        super().__init__(data=data)
        self._schema, self._choices, self._given = schema.model_json_schema(), choices, initial_args
        self._present, self._standing = present or {}, standing
        self._kinds: dict[str, str] = {}
        for name, found in self._schema["properties"].items():
            if found.get("kept"):  # a person decides on it as it is
                self._kinds[name] = "kept"
            else:
                self._add(name, _bare(found), optional=name not in self._schema.get("required", ()))
        for name in fixed & self.fields.keys():
            self.fields[name].disabled = True
        for name in standing & self.fields.keys():
            self.fields[name].show_hidden_initial = True

    def _add(self, name: str, found: Mapping[str, Any], *, optional: bool) -> None:
        value = self._given.get(name)
        if found.get("type") == "object":
            self._kinds[name] = "map"
            self._add_map(name, value or {})
        elif found.get("type") == "array":
            self._kinds[name] = "pieces" if name in self._choices else "list"
            self.fields[name] = self._list_field(name, value or [], optional=optional)
        elif name.endswith("_minor"):
            self._kinds[name] = "money"
            known = money.to_text(value, self._given["currency"]) if value and self._given.get("currency") else ""
            shown, hint = figures.to_edit(known), _("Left empty, it is what the records say.")
            self.fields[name] = forms.CharField(initial=shown, required=False, max_length=30, help_text=hint)
        else:
            self._kinds[name] = "text"
            self.fields[name] = self._text_field(name, found, value, optional=optional)
        if name in self.fields:
            self.fields[name].label = wording.field(name)

    def _text_field(self, name: str, found: Mapping[str, Any], value: Any, *, optional: bool) -> forms.Field:
        values = [
            (v, wording.choice(wording.status(v)) if name == "status" else wording.choice(v))
            for v in found.get("enum", ())
        ]
        offered = list(self._choices.get(name, values))
        if not offered:
            size = int(found.get("maxLength", LONG))
            widget = forms.Textarea(attrs={"rows": 12}) if size > LONG else forms.TextInput()
            return forms.CharField(initial=value, required=not optional, max_length=size, widget=widget, strip=False)
        start = NONE if value == "" and name in self._choices else value
        if optional and name in self._choices and not found.get("minLength"):
            offered.append((NONE, _("none")))
        if optional:
            offered.insert(0, ("", _("leave as it is")))
        return forms.ChoiceField(initial=start, required=not optional, choices=offered)

    def _list_field(self, name: str, value: Sequence[str], *, optional: bool) -> forms.Field:
        if name in self._choices:
            start = [f"{key}/{value[:at].count(key) + 1}" for at, key in enumerate(value)]
            return forms.MultipleChoiceField(
                initial=start, choices=self._choices[name], widget=forms.CheckboxSelectMultiple(),
                required=not optional,
            )  # fmt: skip
        hint = _("Separate several with commas.")
        return forms.CharField(initial=", ".join(value), required=False, max_length=2_000, help_text=hint)

    def _add_map(self, name: str, value: Mapping[str, str | None]) -> None:
        for key in {**self._present, **value, **dict.fromkeys(self._carried(f"{name}."))}:
            start = value[key] if key in value else self._present.get(key)
            self.fields[f"{name}.{key}"] = forms.CharField(
                initial=start or "", required=False, max_length=2_000, label=wording.field(key), strip=False,
                show_hidden_initial=key not in value,
            )  # fmt: skip

    def _carried(self, start: str) -> list[str]:
        """What was shown of a map and is posted, though the record may have lost it meanwhile."""
        names = [name for name in self.data if name.startswith(start) and self.add_initial_prefix(name) in self.data]
        return [name.removeprefix(start)[:60] for name in names]

    def clean(self) -> dict[str, Any]:
        """Refuse what the schema does not have."""
        shown = {self.add_initial_prefix(name) for name in self.fields}
        extra = sorted(set(self.data) - set(self.fields) - shown - ENVELOPE)
        if extra:
            raise forms.ValidationError(_("There is no field %(name)s in this form.") % {"name": repr(extra[0][:60])})
        return self.cleaned_data

    def args(self) -> dict[str, Any]:
        """The arguments as the action's schema wants them.

        Raises:
            money.MoneyError: an amount that is none, or a currency that is none.
        """
        found: dict[str, Any] = {}
        for name, kind in self._kinds.items():
            if kind == "kept":
                value = self._given.get(name)
            else:
                value = self._map(name) if kind == "map" else self._value(name, kind)
            if value is not None:
                found[name] = value
        return found

    def _left(self, name: str) -> bool:
        """Whether it is the record's value as it was shown, or came to be there since."""
        carried = self.fields[name].show_hidden_initial and self.add_initial_prefix(name) in self.data
        return name not in self.changed_data if carried else name not in self.data

    def _value(self, name: str, kind: str) -> Any:
        raw = self.cleaned_data[name]
        if name in self._standing and self._left(name):
            return None
        match kind:
            case "pieces":
                return [value.rpartition("/")[0] for value in raw]
            case "list":
                values = self._onto(name, _parts(raw))
                return values if values or self._given.get(name) else None
            case "money":
                typed = figures.typed(raw.strip())
                return money.to_minor(typed, str(self.cleaned_data.get("currency", ""))) if typed else None
        if raw == NONE and name in self._choices:
            return ""
        return raw.replace("\r\n", "\n") or None

    def _onto(self, name: str, typed: list[str]) -> list[str]:
        """What was put to a record's list and taken from it, on the list as it is now."""
        shown = self.data.get(self.add_initial_prefix(name))
        if name not in self._standing or shown is None:
            return typed
        was, now = _parts(shown), self._given.get(name) or []
        kept = [part for part in now if part in typed or part not in was]
        return [*kept, *(part for part in typed if part not in was and part not in now)]

    def _map(self, name: str) -> dict[str, str | None]:
        """Keys whose value is another than the record's and was not left; emptied is taken away."""
        start = len(name) + 1
        given = {key: value for key, value in self.cleaned_data.items() if key.startswith(f"{name}.")}
        posted = {key[start:]: value for key, value in given.items() if not self._left(key)}
        return {key: value or None for key, value in posted.items() if value != self._present.get(key, "")}

    def refuse(self, message: str) -> None:
        """Put a service's 'field: what is wrong' beside its field."""
        message = retold.say(message)
        name, colon, rest = message.partition(": ")
        rest = retold.say(rest)
        if colon and name in self.fields:
            self.add_error(name, rest[:1].upper() + rest[1:])
        else:
            self.add_error(None, message)


def _bare(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """The property itself where it may also be null."""
    return next((one for one in found.get("anyOf", ()) if one.get("type") != "null"), found)


def _parts(raw: str) -> list[str]:
    return [part.strip() for part in raw.replace("\n", ",").split(",") if part.strip()]
