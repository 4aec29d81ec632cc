// Keys, countdowns and toasts of the review desk. Everything here is a comfort: pages work without it.
"use strict";

(() => {
  const WIDE = matchMedia("(min-width: 1100px)");
  const TOAST_LEAST = 10, TOAST_MOST = 60; // seconds

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
  }

  // A toast stays at least ten seconds, at most a minute, and while it is looked at. The way back stays in the history.
  function fade(toast) {
    if (!started.has(toast)) started.set(toast, performance.now());
    const held = Number(one("[data-left]", toast)?.dataset.left ?? 0);
    const stays = Math.min(TOAST_MOST, Math.max(TOAST_LEAST, held));
    if (performance.now() - started.get(toast) > stays * 1000 && !toast.matches(":hover, :focus-within")) toast.remove();
  }

  // Rows ------------------------------------------------------------------------------------------------
  const rows = () => all(".row a");

  function current() {
    return one(".row a[aria-current]");
  }

  function select(link) {
    for (const other of rows()) other.removeAttribute("aria-current");
    link?.setAttribute("aria-current", "true");
    link?.scrollIntoView({ block: "nearest" });
  }

  // The row that has the focus, else the one that is opened.
  function here() {
    const row = document.activeElement?.closest?.(".row");
    return row ? one("a", row) : current();
  }

  function move(step) {
    const links = rows();
    const at = links.indexOf(here());
    const next = links[Math.min(links.length - 1, Math.max(0, at + step))];
    if (!next) return;
    next.focus();
    if (WIDE.matches) next.click();
  }

  function open() {
    if (here()) location.assign(here().href);
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

  function pickHere() {
    const row = here()?.closest(".row");
    if (row) one("[name=of]", row)?.click();
  }

  // Keys ------------------------------------------------------------------------------------------------
  function press(key) {
    const aims = `[data-key="${CSS.escape(key)}"]`;
    const aim = one(`.toast ${aims}`) ?? one(aims); // what was just done comes before what is looked at
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
    const opened = event.target.closest("dialog") ? null : one(".decide details[open]");
    if (!opened) return;
    opened.open = false;
    one("summary", opened).focus();
  }

  function onKey(event) {
    if (event.key === "Escape") return shut(event);
    const busy = event.target.closest("input:not(.row input), select, textarea, [contenteditable], dialog");
    if (busy || event.ctrlKey || event.metaKey || event.altKey || event.repeat && "aercns".includes(event.key)) return;
    if (document.body.dataset.keys !== "on") return;
    const moves = { j: () => move(1), k: () => move(-1), x: pickHere, "?": () => one("#keys")?.showModal() };
    if (moves[event.key]) moves[event.key]();
    else if (event.key === "Enter") {
      if (event.target.closest("a, button, summary")) return;
      open();
    } else if (!"arecnsu/".includes(event.key) || !press(event.key)) return;
    event.preventDefault();
  }

  // Palette ---------------------------------------------------------------------------------------------
  // Whatever the page offers by a link or a button, found by its name.
  function offered() {
    const named = (aim) => (aim.querySelector(".closed, span") ?? aim).textContent.trim();
    const deeds = all(".decide :is(a, button, summary), .filters button, #together .button").filter((aim) => aim.checkVisibility());
    const ways = all(".views a, .top-nav a, .top-self :is(a, form button)");
    return [...deeds, ...ways].map((aim) => ({ aim, name: named(aim) })).filter((one) => one.name);
  }

  function openPalette() {
    const box = one("#palette");
    one("input", box).value = "";
    box.showModal();
    fillPalette();
  }

  function fillPalette() {
    const typed = one("#palette input").value.trim().toLowerCase();
    const fits = offered().filter((one) => one.name.toLowerCase().includes(typed)).slice(0, 12);
    one("#palette ul").replaceChildren(...fits.map(({ aim, name }, at) => {
      const line = document.createElement("li");
      line.role = "option";
      line.ariaSelected = String(at === 0);
      line.textContent = name;
      line.aim = aim;
      return line;
    }));
  }

  function onPalette(event) {
    const box = one("#palette");
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && box && !box.open) {
      event.preventDefault();
      return openPalette();
    }
    const lines = box?.open ? all("li", box) : [];
    const at = lines.findIndex((line) => line.ariaSelected === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && lines[at + step]) {
      event.preventDefault();
      lines[at].ariaSelected = "false";
      lines[at + step].ariaSelected = "true";
    }
    if (event.key === "Enter" && lines[at]) choose(event, lines[at]);
  }

  function choose(event, line) {
    event.preventDefault();
    one("#palette").close();
    line.aim.click();
    if (line.aim.matches("summary")) one("input[type=radio], textarea", line.aim.parentElement)?.focus();
  }

  function onClick(event) {
    const line = event.target.closest("#palette li");
    if (line) return choose(event, line);
    const opens = event.target.closest("[data-open]")?.dataset.open;
    if (opens === "palette") openPalette();
    else if (opens) document.getElementById(opens)?.showModal();
    if (event.target.closest("[data-unpick]")) keep(new Set());
    event.target.closest("[data-dismiss]")?.closest(".toast")?.remove();
  }

  // HTMX ------------------------------------------------------------------------------------------------
  // On a narrow screen a row leads to the item's own page: there is no second column to fill.
  // A lease is not renewed for a page that nobody looks at.
  function onRequest(event) {
    if (event.target.matches?.("[data-beat], [data-poll]") && document.hidden) return event.preventDefault();
    const link = event.target.closest?.(".row a");
    if (WIDE.matches) return;
    if (event.target.matches?.("[data-first]")) return event.preventDefault();
    if (!link) return;
    event.preventDefault();
    location.assign(link.href);
  }

  // The next item ---------------------------------------------------------------------------------------
  // What stands below the opened row is fetched while that is read, and shown the moment a decision is sent. The answer
  // brings the list and the toast; only where it does not lead to what is shown already, it brings the item too.
  const AHEAD_FRESH = 120_000;
  const shown = () => one("#detail .item")?.dataset.item;
  let ahead = null, asked = null;

  async function loadAhead() {
    const row = current()?.closest(".row");
    const link = row?.nextElementSibling?.matches(".row:not(.going)") && one("a", row.nextElementSibling);
    if (!WIDE.matches || !link || !one(".decide [name=look]") || ahead?.item === link.dataset.item) return;
    const mine = (ahead = { item: link.dataset.item, at: performance.now(), html: "" });
    const answer = await fetch(link.href, { headers: { "HX-Request": "true", "HX-Target": "detail" } }).catch(() => null);
    if (answer?.ok && !answer.redirected) mine.html = await answer.text();
    if (mine === ahead && mine.html) one("#detail").dataset.ahead = mine.item;
  }

  function onSend(event) {
    const { elt, xhr, target } = event.detail;
    if (target?.id === "detail") asked = xhr;
    if (target?.id !== "desk" || !elt.matches(".decide form") || !one("[name=look]", elt) || !elt.matches("[data-onward]")) return;
    const row = rows().find((link) => link.dataset.item === ahead?.item);
    if (!ahead?.html || !row || performance.now() - ahead.at > AHEAD_FRESH) return;
    const next = ahead;
    xhr.ahead = next.item;
    queueMicrotask(() => {
      current()?.closest(".row").classList.add("going");
      const detail = one("#detail");
      xhr.kept = document.createElement("div"); // the form that was sent stays in the page until its answer is there
      xhr.kept.hidden = true;
      xhr.kept.append(...detail.childNodes);
      document.body.append(xhr.kept);
      detail.innerHTML = next.html;
      delete detail.dataset.ahead;
      htmx.process(detail);
      select(row);
      ahead = null;
      beginLook();
      tick();
      one(".item h1", detail)?.focus({ preventScroll: true });
      detail.scrollTop = 0;
      loadAhead();
    });
  }

  // A decision that was taken while the next one was looked at already must not take that away again.
  function keepAhead(event) {
    const { xhr, target } = event.detail;
    if (target.id === "detail" && xhr !== asked) event.detail.shouldSwap = false; // another was asked for since
    if (!xhr.ahead || target.id !== "desk" || xhr.status >= 400) return;
    const opens = /<article[^>]* data-item="([^"]*)"/.exec(xhr.response)?.[1];
    if (opens !== shown() && xhr.ahead === shown()) return;
    event.detail.target = one("#list");
    event.detail.selectOverride = "#list";
    event.detail.swapOverride = "outerHTML";
  }

  // A session that ended answers with the sign-in page: go there instead of showing it inside the desk.
  function onAnswer(event) {
    if (!event.detail.xhr.responseURL.includes("/accounts/login/")) return;
    event.detail.shouldSwap = false;
    if (event.detail.target.id !== "standing") location.reload(); // the banner asks by itself: what is being written stays
  }

  function onSwapped(event) {
    const target = event.detail.target;
    const item = one(".item")?.dataset.item;
    if (target.id === "detail") {
      target.scrollTop = 0;
      select(rows().find((link) => link.dataset.item === item));
    }
    if (target.id === "desk") {
      scrollTo(0, 0);
      one(".problem") ? one(".problem").scrollIntoView({ block: "nearest" }) : one(".item h1, .empty h1")?.focus();
      current()?.scrollIntoView({ block: "nearest" });
    }
    if (["detail", "desk"].includes(target.id)) document.title = one(".item h1")?.textContent ?? document.title;
    tick();
    keep(picks());
  }

  function onSettled() {
    if (shown() && current()?.dataset.item !== shown()) select(rows().find((link) => link.dataset.item === shown()));
    loadAhead();
  }

  // A renewed lease counts down anew.
  function onBeat(event) {
    event.detail.xhr.kept?.remove();
    if (!event.target.matches?.("[data-beat]") || event.detail.xhr.status !== 204) return;
    const time = one("[data-left]", event.target.parentElement);
    time.dataset.left = 600;
    started.delete(time);
    tick();
  }

  function onFailed() {
    const toasts = one("#toasts");
    if (!toasts) return;
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.textContent = toasts.dataset.silence;
    toasts.replaceChildren(toast);
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

  function onSight() {
    if (document.hidden) endLook();
    else if (look) look.since ??= performance.now();
  }

  function onToggle(event) {
    if (event.target.closest(".evidence")) event.target.dataset.opened = "";
  }

  function onDecide(event) {
    if (!event.target.matches?.("form") || !one("[name=look]", event.target)) return;
    pauseLook();
    if (look) {
      one("[name=looked]", event.target).value = Math.floor(look.seen / 1000);
      one("[name=opened]", event.target).value = all(".evidence [data-opened]").length;
    }
    look = null;
  }

  addEventListener("pageshow", () => keep(picks()));
  document.addEventListener("submit", onDecide, true);
  document.addEventListener("toggle", onToggle, true); // it does not bubble
  document.addEventListener("visibilitychange", onSight);
  document.addEventListener("htmx:afterSwap", beginLook);
  addEventListener("pagehide", endLook);
  beginLook();

  document.addEventListener("change", onChange);
  document.addEventListener("keydown", onKey);
  document.addEventListener("keydown", onPalette);
  one("#palette input")?.addEventListener("input", fillPalette);
  document.addEventListener("click", onClick);
  document.addEventListener("htmx:beforeRequest", onRequest);
  document.addEventListener("htmx:beforeSwap", onAnswer);
  document.addEventListener("htmx:beforeSwap", keepAhead);
  document.addEventListener("htmx:beforeSend", onSend);
  document.addEventListener("htmx:afterSettle", onSettled);
  document.addEventListener("htmx:afterSwap", onSwapped);
  document.addEventListener("htmx:afterRequest", onBeat);
  document.addEventListener("htmx:sendError", onFailed);
  document.addEventListener("htmx:responseError", onFailed);
  setInterval(tick, 1000);
  tick();
})();
