// A page shows what stands in the catalog when it is asked for. Once the file has changed it asks again.
"use strict";

const { watch, version } = document.body.dataset;
if (watch) {
  const look = async () => {
    try {
      const answer = await fetch(watch, { cache: "no-store" });
      if (answer.ok && (await answer.text()) !== version) location.reload();
    } catch {
      // The service is restarting.
    }
    setTimeout(look, 800);
  };
  setTimeout(look, 800);
}

// As high as what is in it, so that the whole message is seen at once.
for (const frame of document.querySelectorAll("iframe")) {
  const fit = () => {
    const shown = frame.contentDocument;
    if (!shown || !shown.body) return;
    frame.style.height = "0";
    frame.style.height = `${shown.documentElement.scrollHeight}px`;
  };
  frame.addEventListener("load", fit);
  fit();
}

for (const form of document.querySelectorAll("form.upload")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = form.querySelector("[role=status]");
    const locale = form.elements.locale.value.replaceAll("-", "_");
    const answer = await fetch(`/preview/uploads/${encodeURIComponent(locale)}`, {
      method: "POST",
      headers: { "content-type": form.dataset.type },
      body: form.elements.file.files[0],
    });
    if (answer.ok) location.assign((await answer.json()).url);
    else told.textContent = { 404: "There is no such locale.", 413: "The file is larger than 1 MiB." }[answer.status] ?? "That did not work.";
  });
}
