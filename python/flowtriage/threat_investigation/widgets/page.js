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

  // Enter in the field is a press of its button.
  document.addEventListener("keydown", (event) => {
    const field = event.key === "Enter" && event.target.closest(".ft-investigation .ft-entered");
    if (!field) return;
    event.preventDefault();
    field.closest(".ft-box").querySelector(".ft-press").click();
  }, true);

  // What is chosen in the list is in the field at once.
  document.addEventListener("change", (event) => {
    const list = event.target.closest(".ft-investigation .ft-listed");
    if (!list) return;
    const field = list.closest(".ft-box").querySelector(".ft-entered input");
    field.value = event.target.selectedOptions[0].text.split(/\s/)[0];
  }, true);

  // A press is sent together with what the fields hold, since messages may overtake one another.
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".ft-investigation .ft-press");
    const box = button?.closest(".ft-box");
    const sent = box?.querySelector(".ft-sent input");
    if (!sent) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const fields = Array.from(
      box.querySelectorAll(".ft-field :is(input, textarea, select)"),
      (one) => (one.tagName === "SELECT" ? one.selectedIndex : one.value),
    );
    const at = Array.from(box.querySelectorAll(".ft-press")).indexOf(button);
    sent.value = JSON.stringify({ button: at, fields, time: performance.now() });
    sent.dispatchEvent(new Event("change", { bubbles: true }));
  }, true);
})();
