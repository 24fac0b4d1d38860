// Runs after each table, also where a front end redraws one: nothing to set up beforehand.
(() => {
  "use strict";

  const collator = new Intl.Collator("en", { numeric: true });

  function sortKey(row, at) {
    const cell = row.cells[at];
    if (cell.classList.contains("ft-null")) return null;
    const sort = cell.dataset.sort;
    return sort === undefined ? cell.textContent : Number(sort.replace("inf", "Infinity"));
  }

  function compare(a, b) {
    return typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b);
  }

  function sortBy(table, header) {
    const at = header.cellIndex;
    const down = header.getAttribute("aria-sort") === "ascending";
    const keyed = Array.from(table.tBodies[0].rows, (row) => [sortKey(row, at), row]);
    keyed.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return down ? compare(b, a) : compare(a, b);
    });
    table.tBodies[0].append(...keyed.map(([, row]) => row));
    for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
  }

  function makeSortable(table) {
    for (const header of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      button.addEventListener("click", () => sortBy(table, header));
      header.append(button);
    }
  }

  function textOf(row) {
    const parts = row.querySelectorAll("td, li");
    return Array.from(parts, (one) => one.textContent).join("\n").toLowerCase();
  }

  // Text in quotes matches whole words and addresses: "10.0.0.1" does not match 10.0.0.10.
  function matcher(wanted) {
    const quoted = /^"([^"]+)"$/.exec(wanted);
    if (!quoted) return (text) => text.includes(wanted);
    const words = quoted[1].replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const whole = new RegExp(`(^|[^\\w.:])${words}($|[^\\w.:])`, "m");
    return (text) => whole.test(text);
  }

  function makeFilterable(block, table) {
    const rows = Array.from(table.tBodies[0].rows);
    if (rows.length < 6) return;
    const texts = new Map(rows.map((row) => [row, textOf(row)]));
    const count = block.querySelector(".ft-count");
    const all = count.textContent;
    count.setAttribute("aria-live", "polite");
    const input = document.createElement("input");
    input.type = "search";
    input.className = "ft-filter";
    input.placeholder = "Filter rows";
    input.setAttribute("aria-label", "Filter rows");
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      const matches = matcher(wanted);
      let shown = 0;
      for (const [row, text] of texts) {
        row.hidden = !matches(text);
        shown += !row.hidden;
      }
      count.textContent = wanted ? `${shown} of ${all.replace("First", "the first")} shown` : all;
    });
    block.prepend(input);
  }

  for (const block of document.querySelectorAll(".ft-table:not(.ft-live)")) {
    block.classList.add("ft-live");
    const table = block.querySelector("table");
    if (table.tBodies[0].rows.length > 1) makeSortable(table);
    makeFilterable(block, table);
  }
})();
