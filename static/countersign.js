// Keys, countdowns and toasts of the review desk. Everything here is a comfort: pages work without it.
"use strict";

(() => {
  const WIDE = matchMedia("(min-width: 1100px)");
  const TOAST_LEAST = 10, TOAST_MOST = 60, AHEAD_FRESH = 120; // seconds

  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Countdowns ------------------------------------------------------------------------------------------
  // Each counts from what the server said was left, so that a wrong clock on the desk does no harm.
  const started = new WeakMap();

  function tick() {
    for (const time of all("[data-left]")) {
      if (!started.has(time)) started.set(time, performance.now());
      const left = Math.max(0, Math.round(Number(time.dataset.left) - (performance.now() - started.get(time)) / 1000));
      time.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    }
    for (const toast of all(".toast")) fade(toast);
    stack();
  }

  // A toast stays at least ten seconds, at most a minute, and while it is looked at; one with unsent words until it is
  // closed. The way back stays in the history.
  function fade(toast) {
    if (!started.has(toast)) started.set(toast, performance.now());
    const held = Number(one("[data-left]", toast)?.dataset.left ?? 0);
    const stays = Math.min(TOAST_MOST, Math.max(TOAST_LEAST, held));
    if (performance.now() - started.get(toast) > stays * 1000 && !toast.matches(":hover, :focus-within, [data-stays]")) toast.remove();
  }

  // Of one item only the newest stands, on top of those of others; moving them shifts nothing.
  function stack() {
    const told = new Set();
    for (const toast of all(".toast[data-about]")) told.has(toast.dataset.about) ? toast.remove() : told.add(toast.dataset.about);
    all(".toast").reverse().reduce((height, toast) => {
      toast.style.translate = `0 ${-height}px`;
      return toast.offsetHeight ? height + toast.offsetHeight + 8 : height;
    }, 0);
  }

  // Rows ------------------------------------------------------------------------------------------------
  const rows = () => all(".row a");
  const rowOf = (item) => rows().find((link) => link.dataset.item === item);
  const current = () => one(".row a[aria-current]");

  function select(link) {
    for (const other of rows()) other.removeAttribute("aria-current");
    link?.setAttribute("aria-current", "true");
    link?.scrollIntoView({ block: "nearest" });
  }

  // The row that has the focus, else the one that is opened.
  const here = () => document.activeElement?.closest(".row")?.querySelector("a") ?? current();

  function move(step) {
    const links = rows(), at = links.indexOf(here());
    const next = links[Math.min(links.length - 1, Math.max(0, at + step))];
    next?.focus();
    if (WIDE.matches) next?.click();
  }

  // Picked rows go together to the page of batches. They outlive a list that is renewed, until a page says they are done.
  const PLACE = `picks ${document.body.dataset.desk}`;
  const picks = () => new Set(JSON.parse(sessionStorage.getItem(PLACE) ?? "[]"));

  function keep(picked) {
    for (const done of all("[data-done]")) {
      picked.delete(done.dataset.done);
      done.removeAttribute("data-done"); // it may be opened again, and picked again
    }
    sessionStorage.setItem(PLACE, JSON.stringify([...picked]));
    const boxes = all(".row [name=of]"), form = one("#together");
    for (const box of boxes) box.checked = picked.has(box.value);
    if (!form) return;
    one("[name=of]", form).value = [...picked].filter((key) => !boxes.some((box) => box.value === key)).join(",");
    const button = one(".button", form);
    button.textContent = picked.size ? button.dataset.several.replace("%s", picked.size) : button.dataset.none;
    one("[data-unpick]", form).hidden = !picked.size;
  }

  function pick(box) {
    const picked = picks();
    box.checked ? picked.add(box.value) : picked.delete(box.value);
    keep(picked);
  }

  const pickHere = () => here()?.closest(".row").querySelector("[name=of]")?.click();

  // Keys ------------------------------------------------------------------------------------------------
  function press(key) {
    const aims = `[data-key="${CSS.escape(key)}"]`;
    const aim = one(`.toast:first-child ${aims}`) ?? one(`${aims}:not(.toast *)`); // what was just done comes first
    if (!aim?.checkVisibility()) return false;
    if (aim.matches("input")) {
      aim.focus();
      aim.select();
    } else {
      aim.click();
      if (aim.matches("summary")) one("input[type=radio]", aim.parentElement)?.focus();
    }
    return true;
  }

  // What was opened to be filled in is closed again; what was written in it stays.
  function shut(event) {
    const summary = event.target.closest("dialog[open]") ? null : one(".decide details[open] > summary");
    summary?.click();
    summary?.focus();
  }

  function onKey(event) {
    if (event.key === "Escape") return shut(event);
    const busy = event.target.closest("input:not(.row input), select, textarea, [contenteditable], dialog[open]");
    if (busy || event.ctrlKey || event.metaKey || event.altKey || document.body.dataset.keys !== "on") return;
    if (event.repeat && "aercns".includes(event.key)) return;
    const moves = { j: () => move(1), k: () => move(-1), x: pickHere, "?": () => one("#keys")?.showModal() };
    if (moves[event.key]) moves[event.key]();
    else if (event.key === "Enter") {
      if (event.target.closest("a, button, summary") || !here()) return;
      location.assign(here().href);
    } else if (!"arecnsu/".includes(event.key) || !press(event.key)) return;
    event.preventDefault();
  }

  // Palette ---------------------------------------------------------------------------------------------
  // Whatever the page offers, every place there is, and what is typed as something to search for.
  const palette = one("#palette");

  function offered(typed) {
    const named = (aim) => aim.dataset.named ?? (aim.querySelector(".closed, span") ?? aim).textContent.trim();
    const deeds = all(".decide :is(a, button, summary), .filters button, #together .button").filter((aim) => aim.checkVisibility());
    const aims = [...deeds, ...all(".views a, .top-self :is(a, form button), #palette .places a")];
    const lines = new Map(aims.map((aim) => [`${named(aim)} ${aim.href}`, { aim, name: named(aim) }]));
    const finds = all("#palette [data-find]").filter((find) => new RegExp(find.dataset.fits).test(typed)).map((find) => ({
      name: find.dataset.find.replace("%s", () => typed),
      aim: Object.assign(document.createElement("a"), { href: find.dataset.where.replace("%s", () => encodeURIComponent(typed)) }),
    }));
    const fits = ({ name }) => name && name.toLowerCase().includes(typed.toLowerCase());
    return [...[...lines.values()].filter(fits), ...finds];
  }

  function openPalette() {
    palette.showModal();
    one("input", palette).value = "";
    fillPalette();
  }

  function fillPalette() {
    const lines = offered(one("input", palette).value.trim()).map(({ aim, name }, at) =>
      Object.assign(document.createElement("li"), { id: `palette-${at}`, role: "option", textContent: name, aim }));
    one("ul", palette).replaceChildren(...lines);
    mark(lines[0]);
  }

  function mark(line) {
    for (const other of all("li", palette)) other.ariaSelected = String(other === line);
    one("input", palette).setAttribute("aria-activedescendant", line?.id ?? "");
    line?.scrollIntoView({ block: "nearest" });
  }

  function onPalette(event) {
    if (palette && !palette.open && event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      return openPalette();
    }
    const lines = palette?.open ? all("li", palette) : [];
    const at = lines.findIndex((line) => line.ariaSelected === "true");
    const next = lines[at + ({ ArrowDown: 1, ArrowUp: -1 }[event.key] ?? NaN)];
    if (next) {
      event.preventDefault();
      mark(next);
    }
    if (event.key === "Enter" && lines[at]) choose(event, lines[at]);
  }

  function choose(event, line) {
    event.preventDefault();
    palette.close();
    line.aim.click();
    if (line.aim.matches("summary")) one("input[type=radio], textarea", line.aim.parentElement)?.focus();
  }

  function onClick(event) {
    const line = event.target.closest("#palette li");
    if (line) return choose(event, line);
    const opens = event.target.closest("[data-open]")?.dataset.open;
    if (opens) opens === "palette" ? openPalette() : document.getElementById(opens)?.showModal();
    if (event.target.closest("[data-unpick]")) keep(new Set());
    event.target.closest("[data-dismiss]")?.closest(".toast").remove();
    if (giveBack(event.target.closest("[data-back]")?.closest(".toast").dataset.about)) event.preventDefault();
  }

  // HTMX ------------------------------------------------------------------------------------------------
  // On a narrow screen a row leads to the item's own page: there is no second column to fill.
  // A lease is not renewed for a page that nobody looks at.
  function onRequest(event) {
    if (event.target.matches?.("[data-beat], [data-poll]") && document.hidden) return event.preventDefault();
    const link = event.target.closest?.(".row a");
    if (link && giveBack(link.dataset.item)) return event.preventDefault();
    if (WIDE.matches || !link && !event.target.matches?.("[data-first]")) return;
    event.preventDefault();
    if (link) location.assign(link.href);
  }

  const polls = (elt) => elt.matches('[hx-trigger*="every "]');

  // Decisions without an answer -------------------------------------------------------------------------
  // Their item with all that was written in it, until somebody goes back to it; the server may have it or not.
  const unsent = new Map();

  function onEnd({ elt, xhr, target }) {
    const silent = !xhr.status || xhr.status >= 400 && ![403, 409, 422].includes(xhr.status);
    target.ariaBusy = null;
    one("#behind").hidden = !silent;
    if (silent && !polls(elt)) tell(elt.closest(".decide") && elt.closest(".item"));
    xhr.kept?.remove();
    const time = elt.matches("[data-beat]") && xhr.status === 204 && one("[data-left]", elt.parentElement);
    if (!time) return;
    time.dataset.left = 600; // a renewed lease counts down anew
    started.delete(time);
  }

  function tell(item) {
    const key = item?.dataset.item ?? "";
    const toast = one(item ? "#unsent" : "#silence").content.firstElementChild.cloneNode(true);
    toast.dataset.about = key;
    rowOf(key)?.closest(".row").classList.remove("going");
    if (item) one("small", toast).textContent = one("h1", item).textContent;
    if (item && shown() !== key) unsent.set(key, item);
    else one("[data-back]", toast)?.remove();
    one("#toasts").prepend(toast);
    tick();
  }

  function giveBack(key) {
    const item = unsent.get(key), detail = one("#detail");
    if (!item || !detail) return false;
    unsent.delete(key);
    detail.replaceChildren(item);
    one(`.toast[data-about="${key}"]`)?.remove();
    begin(detail, one(".decide details[open] textarea", item));
    return true;
  }

  // The next item ---------------------------------------------------------------------------------------
  // What stands below the opened row is fetched while that is read, and shown the moment a decision is sent. The answer
  // brings the list and the toast; only where it does not lead to what is shown already, it brings the item too.
  const shown = () => one("#detail .item")?.dataset.item;
  let ahead = null, asked = null;

  async function loadAhead() {
    const link = WIDE.matches && one(".row:has([aria-current]) + :not(.going) a");
    if (link && link.matches("#more a")) return link.click(); // once there is more of the list, this is asked again
    if (!link || !one(".decide [name=look]") || ahead?.item === link.dataset.item) return;
    const mine = (ahead = { item: link.dataset.item, at: performance.now(), html: "" });
    const answer = await fetch(link.href, { headers: { "HX-Request": "true", "HX-Target": "detail" } }).catch(() => null);
    if (answer?.ok && !answer.redirected) mine.html = await answer.text();
    if (mine === ahead && mine.html) one("#detail").dataset.ahead = mine.item;
  }

  function onSend(event) {
    const { elt, xhr, target } = event.detail;
    xhr.addEventListener("loadend", () => onEnd({ elt, xhr, target })); // the detail may lead elsewhere by then
    if (!polls(elt)) target.ariaBusy = "true";
    if (target.id === "detail") asked = xhr;
    if (target.id !== "desk" || !elt.matches(".decide form") || !one("[name=look]", elt) || !elt.matches("[data-onward]")) return;
    if (!ahead?.html || !rowOf(ahead.item) || performance.now() - ahead.at > AHEAD_FRESH * 1000) return;
    xhr.ahead = ahead.item;
    queueMicrotask(() => {
      current()?.closest(".row").classList.add("going");
      const detail = one("#detail");
      stow(xhr, ...detail.childNodes);
      detail.innerHTML = ahead.html;
      begin(detail);
    });
  }

  // What was sent stays in the page until its answer is there; from a form that is gone the answer finds no place.
  function stow(xhr, ...nodes) {
    document.body.append(xhr.kept = Object.assign(document.createElement("div"), { hidden: true }));
    xhr.kept.append(...nodes);
  }

  // What the script itself put on the screen is read from its top, or where somebody had been writing.
  function begin(detail, focus = one(".item h1", detail)) {
    delete detail.dataset.ahead;
    ahead = null;
    htmx.process(detail);
    select(rowOf(shown()));
    beginLook();
    tick();
    detail.scrollTop = 0;
    focus?.focus({ preventScroll: true });
    loadAhead();
  }

  // A decision that was taken while the next one was looked at already must not take that away again.
  function keepAhead(event) {
    const { xhr, target, requestConfig: { elt, verb } } = event.detail;
    if (verb === "post") xhr.scrolled = one(".queue")?.scrollTop; // another list begins at its top
    if (!elt.isConnected) stow(xhr, elt);
    if (target.id === "detail" && xhr !== asked) event.detail.shouldSwap = false; // another was asked for since
    if (!xhr.ahead || target.id !== "desk" || xhr.status >= 400) return;
    const opens = /<article[^>]* data-item="([^"]*)"/.exec(xhr.response)?.[1];
    if (opens !== shown() && xhr.ahead === shown()) return;
    Object.assign(event.detail, { target: one("#list"), selectOverride: "#list", swapOverride: "outerHTML" });
  }

  // A session that ended answers with the sign-in page: go there instead of showing it inside the desk.
  function onAnswer({ detail }) {
    if (!detail.xhr.responseURL.includes("/accounts/login/")) return;
    detail.shouldSwap = false; // what asks by itself, for the banner or more of the list, leaves what is being written
    if (detail.target.id !== "standing" && (detail.target.id !== "more" || detail.requestConfig.triggeringEvent.isTrusted)) location.reload();
  }

  function onSwapped({ detail: { target, xhr } }) {
    if (target.id === "detail") target.scrollTop = 0;
    if (target.id === "desk") {
      scrollTo(0, 0);
      one(".problem") ? one(".problem").scrollIntoView({ block: "nearest" }) : one(".item h1, .empty h1")?.focus();
    }
    if (xhr.scrolled) one(".queue")?.scrollTo(0, xhr.scrolled);
    if (["list", "desk"].includes(target.id)) select(rowOf(shown()) ?? current());
    if (["detail", "desk"].includes(target.id)) document.title = one(".item h1")?.textContent ?? document.title;
    tick();
    keep(picks());
  }

  function onSettled() {
    if (shown() && current()?.dataset.item !== shown()) select(rowOf(shown()));
    loadAhead();
  }

  // A chosen filter takes effect at once; the button serves those without scripts.
  function onChange(event) {
    if (event.target.matches(".row [name=of]")) pick(event.target);
    if (event.target.matches("[data-auto] select, [data-auto] [type=checkbox]")) event.target.form.requestSubmit();
  }

  // Looks -----------------------------------------------------------------------------------------------
  // What was opened says, when it is left, how long it was in sight; what was decided says so with the decision.
  let look = null;

  function beginLook() {
    const item = one("[data-look]");
    if (look?.item === item) return;
    endLook();
    look = item && { item, mark: item.dataset.look, where: item.dataset.lookAt, seen: 0, since: document.hidden ? null : performance.now() };
  }

  function pauseLook() {
    if (!look || look.since === null) return;
    look.seen += performance.now() - look.since;
    look.since = null;
  }

  function endLook() {
    pauseLook();
    const token = one("[name=csrfmiddlewaretoken]")?.value;
    if (look?.seen >= 2000 && token) {
      const said = new URLSearchParams({ look: look.mark, seconds: Math.floor(look.seen / 1000), csrfmiddlewaretoken: token });
      navigator.sendBeacon(look.where, said);
    }
    if (look) look.seen = 0;
  }

  const onSight = () => document.hidden ? endLook() : look && (look.since ??= performance.now());

  function onDecide(event) {
    if (event.target.matches("[role=search]")) document.body.ariaBusy = "true"; // another page comes
    if (!event.target.matches("form") || !one("[name=look]", event.target)) return;
    pauseLook();
    if (look) {
      const looked = one("[name=looked]", event.target);
      looked.value = Number(looked.value) + Math.floor(look.seen / 1000);
      one("[name=opened]", event.target).value = all(".evidence [data-opened]").length;
    }
    look = null;
  }

  const listen = (acts, early) => Object.entries(acts).forEach(([name, act]) => document.addEventListener(name, act, early));
  const onToggle = ({ target }) => target.closest(".evidence") && target.setAttribute("data-opened", "");
  listen({ submit: onDecide, toggle: onToggle }, true); // the second does not bubble
  listen({
    visibilitychange: onSight, change: onChange, click: onClick, input: ({ target }) => target.closest("#palette") && fillPalette(),
    keydown: (event) => { onKey(event); onPalette(event); },
    "htmx:beforeRequest": onRequest, "htmx:beforeSend": onSend,
    "htmx:beforeSwap": (event) => { onAnswer(event); keepAhead(event); },
    "htmx:afterSwap": (event) => { beginLook(); onSwapped(event); }, "htmx:afterSettle": onSettled,
  });
  addEventListener("pagehide", endLook);
  addEventListener("pageshow", () => { document.body.ariaBusy = null; keep(picks()); });
  beginLook();
  setInterval(tick, 1000);
  tick();
})();
