"use strict";
(() => {
  const panel = document.getElementById("panel");
  const viewer = document.getElementById("viewer");
  const heads = [...document.querySelectorAll("#rows thead th")].map((cell) => cell.textContent);

  // A number: its row in a panel; without scripts the link leads to the row itself.
  const show = (row) => {
    const cells = [...row.cells].map((cell) => cell.textContent);
    document.getElementById("panel-title").textContent = cells[0];
    const list = panel.querySelector("dl");
    list.replaceChildren();
    cells.slice(1).forEach((content, i) => {
      if (!content) return;
      const name = document.createElement("dt");
      name.textContent = heads[i + 1];
      const value = document.createElement("dd");
      value.textContent = content;
      list.append(name, value);
    });
    panel.querySelector(".to-row").href = "#" + row.id;
    panel.showModal();
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.n");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const row = document.getElementById(link.getAttribute("href").slice(1));
    if (!row) return;
    event.preventDefault();
    show(row);
  });
  panel.querySelector(".to-row").addEventListener("click", () => panel.close());
  document.querySelectorAll("dialog .close").forEach((button) => {
    button.addEventListener("click", () => button.closest("dialog").close());
  });

  // A figure: large, by buttons or the keys + and -.
  let scale = 1;
  const picture = viewer.querySelector("img");
  const size = (factor) => {
    scale = Math.min(6, Math.max(0.5, scale * factor));
    const stage = viewer.querySelector(".stage");
    const fit = Math.min(stage.clientWidth, (stage.clientHeight * picture.naturalWidth) / picture.naturalHeight);
    picture.style.width = `${Math.round(fit * scale)}px`;
    picture.style.maxWidth = "none";
  };
  document.querySelectorAll(".zoom").forEach((button) => {
    button.addEventListener("click", () => {
      const image = button.querySelector("img");
      picture.src = image.src;
      picture.alt = image.alt;
      document.getElementById("viewer-title").textContent = image.alt;
      viewer.showModal();
      scale = 1;
      picture.decode().then(() => size(1));
    });
  });
  viewer.querySelector(".larger").addEventListener("click", () => size(1.4));
  viewer.querySelector(".smaller").addEventListener("click", () => size(1 / 1.4));
  viewer.addEventListener("keydown", (event) => {
    if (event.key === "+" || event.key === "=") size(1.4);
    if (event.key === "-") size(1 / 1.4);
  });

  // A table: sorted within each body; a row indented below another stays with it.
  const key = (row, column) => {
    const content = (row.cells[column] ? row.cells[column].textContent : "").trim();
    const number = content.replace("\u2212", "-").match(/^[<>]?\s*(-?\d+(?:\.\d+)?)/);
    return { number: number ? parseFloat(number[1]) : NaN, text: content };
  };
  const compare = (a, b) => {
    const [x, y] = [isNaN(a.number), isNaN(b.number)];
    if (!x && !y) return a.number - b.number;
    return x === y ? a.text.localeCompare(b.text) : x ? 1 : -1;
  };
  const families = (body) => {
    const rows = [...body.rows].filter((row) => row.dataset.level !== undefined);
    const base = Math.min(...rows.map((row) => Number(row.dataset.level)));
    const found = [];
    rows.forEach((row) => {
      if (Number(row.dataset.level) === base || !found.length) found.push([row]);
      else found[found.length - 1].push(row);
    });
    return found;
  };
  document.querySelectorAll("th[aria-sort] button").forEach((button) => {
    const head = button.closest("th");
    const table = button.closest("table");
    table.querySelectorAll("tbody").forEach((body) => {
      if (!body.original) body.original = [...body.rows];
    });
    button.addEventListener("click", () => {
      const order = { none: "ascending", ascending: "descending", descending: "none" }[head.getAttribute("aria-sort")];
      table.querySelectorAll("th[aria-sort]").forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", order);
      table.querySelectorAll("tbody").forEach((body) => {
        body.append(...body.original);
        if (order === "none") return;
        const sign = order === "ascending" ? 1 : -1;
        const column = [...head.parentElement.cells].indexOf(head);
        const sorted = families(body)
          .map((rows, i) => ({ rows, i, key: key(rows[0], column) }))
          .sort((a, b) => sign * compare(a.key, b.key) || a.i - b.i);
        sorted.forEach((family) => body.append(...family.rows));
      });
    });
  });

  // Search: what can be led to, by its words; every word must be there.
  const places = [];
  document.querySelectorAll("main h2[id], main h3[id], main figure[id], #rows tbody tr[id]").forEach((place) => {
    const title = place.matches("figure") ? place.querySelector("figcaption") : place.matches("tr") ? place.cells[0] : place;
    places.push({ id: place.id, shown: title.textContent.trim(), text: place.textContent.toLowerCase() });
  });
  const found = document.getElementById("found");
  document.getElementById("search").addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("sought").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    const hits = words.length ? places.filter((place) => words.every((word) => place.text.includes(word))) : [];
    found.replaceChildren(
      ...hits.slice(0, 30).map((hit) => {
        const [item, link] = [document.createElement("li"), document.createElement("a")];
        link.href = "#" + hit.id;
        link.textContent = hit.shown.length > 90 ? hit.shown.slice(0, 89) + "…" : hit.shown;
        item.append(link);
        return item;
      })
    );
    found.dataset.count = hits.length;
  });

  // A link into what is folded away opens it.
  const unfold = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
    if (target) target.scrollIntoView();
  };
  window.addEventListener("hashchange", unfold);
  if (location.hash) unfold();
})();
