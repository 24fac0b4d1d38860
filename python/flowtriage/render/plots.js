// Draws each plot of the page once; runs again where a front end adds or redraws output.
for (const data of document.querySelectorAll("script.plot-data:not(.ft-drawn)")) {
  data.classList.add("ft-drawn");
  const target = data.previousElementSibling.firstElementChild;
  target.replaceChildren();
  Bokeh.embed.embed_item(JSON.parse(data.textContent), target);
}
