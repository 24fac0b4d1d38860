// Draws each plot of the page once; runs again where a front end adds or draws again.
for (const data of document.querySelectorAll("script.plot-data:not(.ft-drawn)")) {
  data.classList.add("ft-drawn");
  const place = data.previousElementSibling.firstElementChild;
  place.replaceChildren();
  Bokeh.embed.embed_item(JSON.parse(data.textContent), place);
}
