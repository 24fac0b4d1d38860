// Runs once per page: keyboard use, screen readers, and presses with the values of their fields.
(() => {
  "use strict";
  if (window.flowtriageInvestigation) return;
  window.flowtriageInvestigation = true;

  document.addEventListener("focusin", (event) => {
    const page = event.target.closest(".ft-investigation");
    if (!page) return;
    // Screen readers announce each change of the message line.
    for (const line of page.querySelectorAll(".ft-message:not([role])")) {
      line.setAttribute("role", "status");
      line.setAttribute("aria-live", "polite");
    }
    // JupyterLab would otherwise use arrows and Enter to move between cells.
    if (!event.target.matches("input, textarea")) {
      event.target.setAttribute("data-lm-suppress-shortcuts", "true");
    }
  });

  // Enter in the address field presses its button.
  document.addEventListener("keydown", (event) => {
    const field = event.key === "Enter" && event.target.closest(".ft-investigation .ft-address");
    if (!field) return;
    event.preventDefault();
    field.closest(".ft-box").querySelector(".ft-button").click();
  }, true);

  // A selection in the list fills the address field without a round trip to the kernel.
  document.addEventListener("change", (event) => {
    const list = event.target.closest(".ft-investigation .ft-listed");
    if (!list) return;
    const field = list.closest(".ft-box").querySelector(".ft-address input");
    field.value = event.target.selectedOptions[0].text.split(/\s/)[0];
  }, true);

  // One message has the button and all fields: the kernel may reorder messages of several widgets.
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".ft-investigation .ft-button");
    const box = button?.closest(".ft-box");
    const channel = box?.querySelector(".ft-event input");
    if (!channel) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const fields = Array.from(
      box.querySelectorAll(".ft-field :is(input, textarea, select)"),
      (one) => (one.tagName === "SELECT" ? one.selectedIndex : one.value),
    );
    const index = Array.from(box.querySelectorAll(".ft-button")).indexOf(button);
    channel.value = JSON.stringify({ button: index, fields, time: performance.now() });
    channel.dispatchEvent(new Event("change", { bubbles: true }));
  }, true);
})();
