// Follows the log of the step that runs now, and loads the page again when the run has moved on.
"use strict";

const live = document.getElementById("live");

async function follow() {
  let at = null;
  for (;;) {
    const join = live.dataset.log.includes("?") ? "&" : "?";
    const log = await fetch(live.dataset.log + join + "from=" + (at ?? 2 ** 40));
    if (log.ok) {
      const size = Number(log.headers.get("X-Ghapp-Size"));
      const text = await log.text();
      if (text) {
        const atEnd = live.scrollTop + live.clientHeight >= live.scrollHeight - 20;
        live.textContent += text.replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, "");
        if (atEnd) live.scrollTop = live.scrollHeight;
      }
      at = at === null ? size : Math.min(size, at + new TextEncoder().encode(text).length);
    }
    const record = await fetch(live.dataset.record);
    if (record.ok && (await record.json()).at !== document.body.dataset.at) return location.reload();
    await new Promise((done) => setTimeout(done, 1500));
  }
}

if (live) {
  live.scrollTop = live.scrollHeight;
  follow();
} else if (document.body.dataset.running === "yes") {
  setTimeout(() => location.reload(), 3000);
}
