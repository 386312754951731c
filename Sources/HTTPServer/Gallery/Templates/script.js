// What the gallery does beyond plain HTML: a picture that is dropped is looked for, and the backfill's progress moves.
"use strict";

const upload = document.querySelector("form.upload");
const picture = document.querySelector("#picture");
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => { event.preventDefault(); upload?.classList.add("over"); });
}
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) upload?.classList.remove("over"); });
document.addEventListener("drop", (event) => {
  event.preventDefault();
  upload?.classList.remove("over");
  if (!upload || !event.dataTransfer.files.length) return;
  picture.files = event.dataTransfer.files;
  upload.submit();
});
picture?.addEventListener("change", () => { if (picture.files.length) upload.submit(); });

const job = document.querySelector("#backfill");
if (job && job.dataset.state === "running") {
  const [bar, text] = [job.querySelector("progress"), job.querySelector("span")];
  const events = new EventSource("/api/v1/jobs/backfill");
  events.addEventListener("progress", (event) => {
    const state = JSON.parse(event.data);
    bar.max = Math.max(state.total, 1);
    bar.value = state.done;
    text.textContent = `${state.done} of ${state.total}, ${state.failed} failed, ${state.images_per_second} images/s`;
    if (state.state !== "running") { events.close(); location.reload(); }
  });
}
