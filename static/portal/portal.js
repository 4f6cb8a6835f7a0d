/* The portal's own behaviour: menu, dialogs, live parts, charts. No inline scripts anywhere. */
(() => {
  "use strict";

  const closest = (event, selector) => (event.target instanceof Element ? event.target.closest(selector) : null);

  /* Sidebar as a drawer on narrow screens. */
  const toggleNav = (open) => {
    const body = document.body;
    const now = open ?? !body.classList.contains("nav-open");
    body.classList.toggle("nav-open", now);
    document.querySelectorAll("[data-nav-toggle][aria-expanded]").forEach((button) => button.setAttribute("aria-expanded", String(now)));
    if (now) document.querySelector("#sidebar a, #sidebar button")?.focus();
    else if (document.activeElement?.closest("#sidebar")) document.querySelector(".topbar-menu")?.focus();
  };

  /* One dialog may serve many rows: the button says where it posts to and what it is about. */
  const openDialog = (opener) => {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (!dialog) return;
    if (opener.dataset.dialogAction) dialog.querySelector("form").action = opener.dataset.dialogAction;
    const said = dialog.querySelector("[data-dialog-said]");
    if (said) said.textContent = opener.dataset.dialogName || "";
    const given = dialog.querySelector("[data-dialog-given]");
    if (given) given.value = opener.dataset.dialogValue || "";
    dialog.showModal();
  };

  document.addEventListener("click", (event) => {
    if (closest(event, "[data-nav-toggle]")) toggleNav();

    const opener = closest(event, "[data-dialog]");
    if (opener) openDialog(opener);
    if (closest(event, "[data-dialog-close]")) closest(event, "dialog")?.close();
    if (event.target instanceof HTMLDialogElement) event.target.close(); // a click on the backdrop

    if (closest(event, "[data-back]") && history.length > 1) {
      event.preventDefault();
      history.back();
    }

    const copy = closest(event, "[data-copy]");
    if (copy) {
      navigator.clipboard?.writeText(copy.dataset.copy).then(() => {
        const said = copy.querySelector("[data-copied]");
        if (!said) return;
        const before = said.textContent;
        said.textContent = "Copied";
        setTimeout(() => { said.textContent = before; }, 1500);
      });
    }

    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    });
    if (document.body.classList.contains("nav-open")) toggleNav(false);
  });

  /* Rows that are added and removed; the last one left is emptied instead. */
  document.addEventListener("click", (event) => {
    const remove = closest(event, "[data-row-remove]");
    if (remove) {
      const row = remove.closest("[data-row]");
      if (row.parentElement.querySelectorAll("[data-row]").length > 1) row.remove();
      else row.querySelectorAll("input").forEach((input) => { input.value = ""; });
    }
    const add = closest(event, "[data-row-add]");
    if (add) {
      const rows = add.closest("fieldset").querySelectorAll("[data-row]");
      const row = rows[rows.length - 1].cloneNode(true);
      row.querySelectorAll(".field-errors").forEach((error) => error.remove());
      row.querySelectorAll("input").forEach((input) => {
        if (input.name !== "region_name") input.value = "";
        input.removeAttribute("aria-invalid");
        input.removeAttribute("list");
      });
      rows[rows.length - 1].after(row);
      (row.querySelector("input[data-suggest]") || row.querySelector("input, select"))?.focus();
    }
  });

  /* Pickers: suggestions while typing, in a datalist. */
  let suggestTimer;
  let suggestCount = 0;
  const suggest = (input) => {
    if (!input.hasAttribute("list")) {
      const list = document.createElement("datalist");
      list.id = `suggestions-${(suggestCount += 1)}`;
      input.after(list);
      input.setAttribute("list", list.id);
    }
    const type = input.parentElement.querySelector("[data-suggest-type]")?.value || "";
    const address = `${input.dataset.suggest}?${new URLSearchParams({ q: input.value, type })}`;
    fetch(address, { headers: { Accept: "application/json" } })
      .then((answer) => (answer.ok ? answer.json() : []))
      .then((texts) => {
        document.getElementById(input.getAttribute("list"))?.replaceChildren(...texts.map((text) => new Option(text, text)));
      })
      .catch(() => {});
  };
  document.addEventListener("input", (event) => {
    const input = closest(event, "input[data-suggest]");
    if (!input) return;
    clearTimeout(suggestTimer);
    suggestTimer = setTimeout(() => suggest(input), 200);
  });
  document.addEventListener("focusin", (event) => {
    const input = closest(event, "input[data-suggest]");
    if (input) suggest(input);
  });

  /* Filters that apply at once. */
  document.addEventListener("change", (event) => {
    const filter = closest(event, "[data-submit-on-change]");
    if (filter) filter.form?.requestSubmit();

    /* data-shows="#id": a checkbox that shows a part of the form; data-hides: one that hides it. */
    const shows = closest(event, "[data-shows],[data-hides]");
    if (shows) applyShows(shows);
  });
  const applyShows = (box) => {
    const on = box.type === "checkbox" ? box.checked : Boolean(box.value);
    if (box.dataset.shows) document.querySelectorAll(box.dataset.shows).forEach((part) => { part.hidden = !on; });
    if (box.dataset.hides) document.querySelectorAll(box.dataset.hides).forEach((part) => { part.hidden = on; });
  };

  /* Unfold writes a chosen file's name into the first text field around it, which is right in its admin only. */
  document.addEventListener("change", (event) => {
    if (closest(event, ".input[type=file]")) event.stopPropagation();
  }, true);

  /* A submit button answers once: a double click must not write twice. */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => { delete form.dataset.sent; }, 4000);
  });

  /* The admin's pickers of related objects show a box of their own in place of the field, without a name for who cannot see. */
  const namePickers = () => {
    document.querySelectorAll("select.admin-autocomplete + .select2:not([data-named])").forEach((box) => {
      const select = box.previousElementSibling;
      const name = document.createElement("span");
      name.id = `${select.id}-name`;
      name.hidden = true;
      name.textContent = select.getAttribute("aria-label") || select.labels[0]?.textContent.replace("*", "").trim() || "";
      box.dataset.named = "1";
      box.after(name);
      const chosen = box.querySelector(".select2-selection__rendered");
      chosen.setAttribute("aria-labelledby", name.id);
      box.querySelector(".select2-selection").setAttribute("aria-labelledby", `${name.id} ${chosen.id}`);
    });
    // Which list an open box leads, in today's word for it.
    document.querySelectorAll(".select2-selection").forEach((box) => {
      const list = box.getAttribute("aria-owns");
      if (list) box.setAttribute("aria-controls", list);
      else box.removeAttribute("aria-controls");
    });
    document.querySelectorAll(".select2-search__field:not([aria-label])").forEach((field) => field.setAttribute("aria-label", "Search"));
    document.querySelectorAll(".select2-results__options:not([aria-label])").forEach((list) => list.setAttribute("aria-label", "Found"));
  };
  document.addEventListener("DOMContentLoaded", () => {
    if (!document.querySelector("select.admin-autocomplete")) return;
    namePickers();
    new MutationObserver(namePickers).observe(document.body, { childList: true, subtree: true });
  });

  /* Live parts: ask only while somebody can see the answer and nothing inside is being used. */
  const isLive = (event) => event.detail?.elt?.hasAttribute?.("data-live");
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isLive(event) && (document.hidden || event.detail.elt.querySelector("dialog[open]"))) event.preventDefault();
  });
  let lastHeard = new Date();
  const lost = (yes) => {
    const box = document.querySelector("[data-lost-connection]");
    if (!box) return;
    box.hidden = !yes;
    if (yes) box.querySelector("[data-lost-since]").textContent = lastHeard.toLocaleTimeString();
  };
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!isLive(event)) return;
    if (event.detail.successful) lastHeard = new Date();
    lost(!event.detail.successful);
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && window.htmx) document.querySelectorAll("[data-live]").forEach((part) => window.htmx.trigger(part, "awake"));
  });

  /* Charts: data from the json_script beside the canvas, colours from the theme. */
  const drawn = new Map();
  const colours = () => {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    return {
      main: read("--chart-main"), second: read("--chart-second"), bad: read("--chart-bad"), muted: read("--chart-muted"),
      limit: read("--chart-limit"), line: read("--line"), text: read("--subtle"),
    };
  };
  const dataset = (series, kind, c) => {
    const colour = c[series.role] || c.main;
    if (series.role === "limit") {
      return { type: "line", label: series.name, data: series.values, borderColor: colour, backgroundColor: colour, borderDash: [6, 4], borderWidth: 1.5, pointRadius: 0, stepped: "middle", order: 0, stack: `limit-${series.name}` };
    }
    if (series.role === "band") {
      // A pair of them, the lower edge first: what lies between is filled.
      const between = series.name.toLowerCase() === "high";
      return { type: "line", label: series.name, data: series.values, borderColor: c.muted, backgroundColor: `color-mix(in oklab, ${c.muted} 22%, transparent)`, borderDash: [2, 3], borderWidth: 1, pointRadius: 0, fill: between ? "-1" : false, order: 2, stack: `band-${series.name}` };
    }
    return {
      label: series.name, data: series.values, borderColor: colour, backgroundColor: colour,
      borderWidth: kind === "line" ? 2 : 0, borderRadius: 2, pointRadius: 0, pointHitRadius: 8, maxBarThickness: 22, order: 1,
      stepped: kind === "line" ? "middle" : false, stack: "all",
    };
  };
  const draw = (canvas) => {
    const source = document.getElementById(canvas.dataset.chart);
    if (!source || !window.Chart) return;
    const data = JSON.parse(source.textContent);
    const c = colours();
    drawn.get(canvas)?.destroy();
    drawn.set(canvas, new window.Chart(canvas, {
      type: data.kind,
      data: { labels: data.labels, datasets: data.series.map((series) => dataset(series, data.kind, c)) },
      options: {
        animation: false, responsive: true, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
        scales: {
          x: { stacked: data.stacked, grid: { display: false }, border: { color: c.line }, ticks: { color: c.text, maxRotation: 0, autoSkipPadding: 16 } },
          y: { stacked: data.stacked, beginAtZero: true, grid: { color: c.line }, border: { display: false }, ticks: { color: c.text, precision: 0, maxTicksLimit: 6 } },
        },
        plugins: { legend: { display: data.series.length > 1, position: "bottom", labels: { color: c.text, boxWidth: 12, boxHeight: 12, useBorderRadius: true, borderRadius: 2 } } },
      },
    }));
  };
  const drawAll = (root) => root.querySelectorAll?.("canvas[data-chart]").forEach(draw);
  const forgetGone = () => drawn.forEach((chart, canvas) => {
    if (canvas.isConnected) return;
    chart.destroy();
    drawn.delete(canvas);
  });

  document.addEventListener("htmx:afterSwap", (event) => { forgetGone(); drawAll(event.detail.target); });
  document.addEventListener("DOMContentLoaded", () => {
    drawAll(document);
    document.querySelectorAll("[data-shows],[data-hides]").forEach(applyShows);
    new MutationObserver(() => drawAll(document)).observe(document.documentElement, { attributeFilter: ["class"] });
  });
})();
