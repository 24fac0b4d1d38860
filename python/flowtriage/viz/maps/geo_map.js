// Markers and clusters of a flow map. Untrusted text is only set as text content.
const flowtriageMap = (() => {
  const kinds = ["threat", "outbound", "both", "inbound", "other", "host"];
  const above = { threat: 5000, host: 10000 };
  const names = { both: "two-way", other: "other direction" };
  const hints = 3;
  const besideNote = 255;
  const outline = "M13 33C8 25 1.5 20 1.5 12.5a11.5 11.5 0 0 1 23 0C24.5 20 18 25 13 33z";
  const pin = `<svg viewBox="0 0 26 34"><path d="${outline}"/><circle cx="13" cy="12.5" r="4.5"/></svg>`;

  function icon(kind) {
    const host = kind === "host";
    const tip = [0, host ? -30 : -6];
    return L.divIcon({
      className: `ft-marker ft-${kind}`,
      html: host ? pin : "",
      iconSize: host ? [26, 34] : [16, 16],
      iconAnchor: host ? [13, 34] : [8, 8],
      popupAnchor: tip,
      tooltipAnchor: tip,
    });
  }

  function facts(fields, at, limit) {
    const list = document.createElement("dl");
    list.className = "ft-facts";
    for (const [label, values, codes] of fields.slice(0, limit)) {
      const value = values[codes[at]];
      if (value === null) continue;
      list.appendChild(document.createElement("dt")).textContent = label;
      list.appendChild(document.createElement("dd")).textContent = value;
    }
    return list;
  }

  // Addresses within a country are closer to each other than countries are.
  function reach(zoom) {
    return zoom < 7 ? 40 : 18;
  }

  function ring(group) {
    const counts = new Map(kinds.map((kind) => [kind, 0]));
    for (const { options } of group.getAllChildMarkers()) {
      counts.set(options.kind, counts.get(options.kind) + 1);
    }
    const total = group.getChildCount();
    const slices = [];
    const parts = [];
    let from = 0;
    for (const [kind, count] of counts) {
      if (count === 0) continue;
      const to = from + count / total;
      slices.push(`var(--ft-${kind}) ${from}turn ${to}turn`);
      parts.push(`${count.toLocaleString("en")} ${names[kind] ?? kind}`);
      from = to;
    }
    const size = 30 + 5 * Math.floor(Math.log10(total));
    const face = document.createElement("div");
    face.className = "ft-ring";
    face.title = `${total.toLocaleString("en")} addresses: ${parts.join(", ")}`;
    face.style.background = `conic-gradient(${slices.join(", ")})`;
    face.appendChild(document.createElement("span")).textContent = total.toLocaleString("en");
    return L.divIcon({ className: "ft-cluster", html: face, iconSize: [size, size] });
  }

  function isNarrow() {
    return innerWidth > 0 && innerWidth < 600;
  }

  function fit(map, corners) {
    const left = isNarrow() ? 40 : besideNote + 20;
    const room = { paddingTopLeft: [left, 40], paddingBottomRight: [40, 40] };
    map.fitBounds(corners, { ...room, maxZoom: 5 });
  }

  // Rows are [latitude, longitude]; columns are [label, values, code of each row's value]. The
  // first column has the kinds of the rows.
  function layer(rows, [[, kindValues, kindCodes], ...fields], clustered) {
    const left = isNarrow() ? 5 : besideNote;
    document.querySelector(".ft-note").open = !isNarrow();
    const popup = { maxWidth: 360, maxHeight: 300, autoPanPaddingTopLeft: [left, 5] };
    const icons = new Map(kinds.map((kind) => [kind, icon(kind)]));
    const markers = rows.map((point, row) => {
      const kind = kindValues[kindCodes[row]];
      const zIndexOffset = above[kind] ?? 0;
      const marker = L.marker(point, { icon: icons.get(kind), kind, zIndexOffset });
      marker.bindTooltip(() => facts(fields, row, hints), { direction: "top" });
      marker.bindPopup(() => facts(fields, row), popup);
      return marker.on("popupopen", () => marker.closeTooltip());
    });
    if (!clustered) return L.layerGroup(markers);
    const options = { maxClusterRadius: reach, iconCreateFunction: ring };
    return L.markerClusterGroup(options).addLayers(markers);
  }

  return { fit, layer };
})();
