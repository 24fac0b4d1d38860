// Runs after each list of findings: its links filter the table of a section below it.
(() => {
  "use strict";

  function tableOf(link) {
    const name = link.dataset.ftTable;
    return Array.from(document.querySelectorAll(".ft-table")).find((block) => {
      const follows = link.compareDocumentPosition(block) & Node.DOCUMENT_POSITION_FOLLOWING;
      return follows && block.querySelector(".ft-scroll").getAttribute("aria-label") === name;
    });
  }

  function follow(event) {
    const block = tableOf(event.currentTarget);
    if (!block) return;
    event.preventDefault();
    const input = block.querySelector(".ft-filter");
    if (input) {
      input.value = event.currentTarget.dataset.ftFilter;
      input.dispatchEvent(new Event("input"));
    }
    block.scrollIntoView({ block: "start" });
    (input || block.querySelector(".ft-scroll")).focus({ preventScroll: true });
  }

  for (const list of document.querySelectorAll(".ft-findings:not(.ft-live)")) {
    list.classList.add("ft-live");
    for (const link of list.querySelectorAll("a[data-ft-table]")) {
      link.addEventListener("click", follow);
    }
  }
})();
