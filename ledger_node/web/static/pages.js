// What moves on the pages: ids are copied by a click, and what the ledger changes is shown without being asked for.
// Every page works without this file.
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.classList.add("copied");
});

document.addEventListener("submit", (event) => {
  // A form that is under way is not sent again by a second click; the key in it would make that one command anyway.
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

const parts = () => document.querySelectorAll("[data-live]");
// What somebody is typing into, or has ticked, stays as it is.
const inUse = (part) => part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")
  || [...part.querySelectorAll("input")].some((input) => input.type === "checkbox" ? input.checked !== input.defaultChecked : input.value !== input.defaultValue);

async function refresh() {
  const answer = await fetch(location.href, { headers: { "X-Live": "1" } });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts()) {
    const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (!next || inUse(part) || next.textContent === part.textContent) continue;
    part.replaceChildren(...next.childNodes);
    const said = document.getElementById("said");
    said.textContent = said.dataset.changed;
  }
}

if (document.body.dataset.block && parts().length) {
  let waiting = null, finish = null, stopped = null;
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(refresh, 150); };
  // A browser opens six connections to a host. So of all pages in sight one has the stream, and tells the others.
  const told = new BroadcastChannel("blocks");
  const known = () => Number(document.body.dataset.block);
  let last = known();
  const heard = ({ data }) => {
    if (data === "which?") { if (finish) told.postMessage(last); }
    else if (data === "changed" || data > known()) soon();
  };
  const stream = () => new Promise((resolve) => {
    const events = new EventSource("/events");
    const changed = (event) => { last = Number(event.lastEventId) || last; soon(); told.postMessage("changed"); };
    for (const kind of ["block", "again"]) events.addEventListener(kind, changed);
    events.addEventListener("hello", (event) => { if (Number(event.lastEventId) > known()) changed(event); });
    events.addEventListener("error", () => { if (events.readyState === EventSource.CLOSED) finish?.(); });
    finish = () => { events.close(); finish = null; resolve(); };
  });
  const open = () => {
    stopped = new AbortController();
    told.onmessage = heard;
    told.postMessage("which?"); // a block may have come since this page was made
    navigator.locks.request("blocks", { signal: stopped.signal }, stream).catch((error) => { if (error.name !== "AbortError") throw error; });
  };
  const close = () => { stopped?.abort(); finish?.(); stopped = told.onmessage = null; };
  // Pages that nobody looks at wait for nothing, and are read anew when seen again.
  const look = () => { if (document.hidden) close(); else if (!stopped) { open(); soon(); } };
  if (!document.hidden) open();
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => { if (event.persisted) look(); });
}
