"use strict";
const sort = (button) => {
  const head = button.closest("th"), body = button.closest("table").tBodies[0];
  const column = [...head.parentNode.children].indexOf(head);
  const down = head.getAttribute("aria-sort") === "ascending" || (!head.hasAttribute("aria-sort") && head.classList.contains("right"));
  const key = (row) => row.cells[column].dataset.key === undefined ? row.cells[column].textContent : Number(row.cells[column].dataset.key);
  const compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  const rows = [...body.rows].sort((a, b) => compare(key(a), key(b)) * (down ? -1 : 1));
  for (const title of head.parentNode.children) title.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  body.append(...rows);
};
document.addEventListener("click", (event) => {
  const button = event.target.closest("table.sortable th button");
  if (button) sort(button);
});
const seconds = Number(document.body.dataset.refresh || 0);
if (seconds > 0) setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const place of ["header", "main"]) document.querySelector(place).replaceWith(fresh.querySelector(place));
  } catch (error) { /* the training, or the server, has ended */ }
}, 1000 * seconds);
