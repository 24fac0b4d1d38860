// Runs once a page: what widgets lack for work by keyboard and for screen readers.
(() => {
  "use strict";
  if (window.flowtriageInvestigation) return;
  window.flowtriageInvestigation = true;

  document.addEventListener("focusin", (event) => {
    const page = event.target.closest(".ft-investigation");
    if (!page) return;
    // The line that says what is going on is announced whenever it changes.
    for (const said of page.querySelectorAll(".ft-said:not([role])")) {
      said.setAttribute("role", "status");
      said.setAttribute("aria-live", "polite");
    }
    // Arrows and Enter are for what has the focus, not for going from cell to cell.
    if (!event.target.matches("input, textarea")) {
      event.target.setAttribute("data-lm-suppress-shortcuts", "true");
    }
  });

  // Enter in a field is a press of its button, after what was typed has been sent.
  document.addEventListener("keydown", (event) => {
    const field = event.key === "Enter" && event.target.closest(".ft-investigation .ft-entered");
    if (!field) return;
    event.preventDefault();
    event.target.dispatchEvent(new Event("change", { bubbles: true }));
    field.parentElement.querySelector(".ft-enter").click();
  }, true);
})();
