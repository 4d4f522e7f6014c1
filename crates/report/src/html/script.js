"use strict";
/* Search, the list of gangs, the panel of evidence. Text from logs reaches the page through textContent alone. */
(() => {
  const $ = id => document.getElementById(id);
  const read = node => JSON.parse(node.textContent);
  const { words, tactics } = read($("words"));
  const fill = (text, ...values) => text.replace(/\{(\d)\}/g, (_, n) => values[n] ?? "");
  const el = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined && text !== null) node.textContent = text;
    return node;
  };

  const root = document.documentElement;
  $("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  const asked = new URLSearchParams(location.search).get("theme");
  if (asked === "dark" || asked === "light") root.dataset.theme = asked;

  const panel = $("panel"), body = $("panel-body");
  let opener = null;
  const close = () => {
    panel.hidden = true;
    document.querySelectorAll(".node.on").forEach(it => it.classList.remove("on"));
    if (opener) opener.focus({ preventScroll: true });
    opener = null;
  };
  const open = (from, nodes) => {
    document.querySelectorAll(".node.on").forEach(it => it.classList.remove("on"));
    opener = from;
    body.replaceChildren(...nodes);
    body.scrollTop = 0;
    panel.hidden = false;
    $("close").focus({ preventScroll: true });
  };
  $("close").addEventListener("click", close);

  const record = it => {
    const box = el("div", "record-box");
    box.append(el("p", "claim", it.claim));
    const where = el("p", "muted where");
    where.append(el("code", "", it.source ?? "?"));
    if (it.offset !== null) where.append(" · " + fill(words.OffsetLength, it.offset, it.length ?? "?"));
    box.append(where);
    if (it.line !== null) box.append(el("pre", "raw", it.line));
    const foot = el("p", "muted");
    foot.append(el("span", "tag " + it.basis, it.basis === "observed" ? words.Observed : words.Inferred));
    if (it.rule !== null) foot.append(" " + words.Rule + ": ", el("code", "", it.rule));
    foot.append(" ", el("code", "faint", it.id));
    box.append(foot);
    return box;
  };
  const records = (data, numbers) => {
    const found = numbers.map(n => data.evidence[n]).filter(Boolean);
    return [el("h4", "", words.Evidence), ...(found.length ? found.map(record) : [el("p", "muted", words.NoEvidence)])];
  };
  const dataOf = node => read(node.closest("article").querySelector("script.data"));
  const showNode = group => {
    const data = dataOf(group), it = data.nodes[Number(group.dataset.n)];
    if (!it) return;
    const facts = el("dl", "facts");
    const fact = (label, value) => {
      if (!value) return;
      const pair = el("div");
      pair.append(el("dt", "", label), el("dd", "", value));
      facts.append(pair);
    };
    fact(words.Observed, it.observed);
    fact(words.Inferred, it.inferred);
    fact(words.Hosts, it.hosts);
    fact(words.FirstSeen, it.first);
    fact(words.LastSeen, it.last);
    fact(words.Behaviour, it.behaviours.join(", "));
    fact(words.NetworkRoles, it.roles.join(", "));
    const parts = [el("h3", "mono", it.template), facts];
    if (it.sample !== null) parts.push(el("h4", "", words.Sample), el("pre", "raw", it.sample));
    open(group, [...parts, ...records(data, it.evidence)]);
    group.classList.add("on");
  };

  const copy = async (text, button) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = el("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const before = button.textContent;
    if (before) button.textContent = words.Copied;
    button.classList.add("done");
    setTimeout(() => {
      button.textContent = before;
      button.classList.remove("done");
    }, 1200);
  };

  document.addEventListener("click", event => {
    const node = event.target.closest(".node, .ev, .copy, .copy-all");
    if (!node) {
      if (!panel.hidden && !event.target.closest("#panel")) close();
    } else if (node.classList.contains("node")) showNode(node);
    else if (node.classList.contains("ev")) open(node, records(dataOf(node), node.dataset.e.split(" ").map(Number)));
    else if (node.classList.contains("copy")) copy(node.parentElement.querySelector(".value").textContent, node);
    else copy([...node.closest("section").querySelectorAll(".value")].map(it => it.textContent).join("\n"), node);
  });

  if (!$("rows-data")) return;
  const gangs = read($("rows-data"));
  const list = $("list"), rows = $("rows"), detail = $("detail");
  const ROW = 74, most = Math.max(1, ...gangs.map(it => it.hosts));
  let visible = gangs.map((_, n) => n), current = 0;
  const drawn = new Map([[0, detail.querySelector("article")]]);

  const row = n => {
    const it = gangs[n], node = el("div", "item" + (n === current ? " on" : ""));
    node.dataset.n = n;
    node.id = "row-" + n;
    node.setAttribute("role", "option");
    node.setAttribute("aria-selected", n === current);
    const top = el("div", "line");
    top.append(el("b", "name", it.name), el("span", "big-num", it.hosts.toLocaleString("en")), el("small", "", words.JustHosts));
    const bar = el("div", "weight");
    const fillBar = el("i");
    fillBar.style.width = Math.max(2, 100 * Math.sqrt(it.hosts / most)) + "%";
    bar.append(fillBar);
    const bottom = el("div", "line low");
    const dots = el("span", "dots");
    for (const t of it.tactics) {
      const dot = el("i", "dot t" + t);
      dot.title = tactics[t];
      dots.append(dot);
    }
    bottom.append(el("span", "grow", it.how.join(", ") || "–"), dots, el("small", "", it.sure));
    node.append(top, bar, bottom);
    return node;
  };
  let ticket = 0;
  const paint = () => {
    ticket = 0;
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 4);
    const last = Math.min(visible.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + 4);
    rows.style.height = visible.length * ROW + "px";
    rows.replaceChildren(...visible.slice(first, last).map((n, at) => {
      const node = row(n);
      node.style.top = (first + at) * ROW + "px";
      return node;
    }));
    if (!visible.length) rows.replaceChildren(el("p", "muted none", words.NoMatch));
    $("shown").textContent = fill(words.Shown, visible.length.toLocaleString("en"), gangs.length.toLocaleString("en"));
  };
  const later = () => { ticket = ticket || requestAnimationFrame(paint); };
  list.addEventListener("scroll", later, { passive: true });
  addEventListener("resize", later);

  const choose = (n, jump) => {
    current = n;
    if (!drawn.has(n)) {
      const template = document.querySelector(`template[data-g="${n}"]`);
      if (!template) return;
      if (drawn.size > 30) drawn.clear();
      drawn.set(n, template.content.firstElementChild.cloneNode(true));
    }
    close();
    detail.replaceChildren(drawn.get(n));
    if (n && !document.querySelector("template[data-g='0']")) keepFirst();
    if (jump) {
      const at = visible.indexOf(n) * ROW;
      if (at < list.scrollTop || at + ROW > list.scrollTop + list.clientHeight) list.scrollTop = at - list.clientHeight / 3;
      const top = $("gangs").offsetTop;
      if (scrollY > top) scrollTo({ top });
    }
    history.replaceState(null, "", "#gang=" + encodeURIComponent(gangs[n].id));
    later();
  };
  /* The first gang has no template: it stands in the page. It gets one when it is first left. */
  const first = drawn.get(0);
  const keepFirst = () => {
    const template = document.createElement("template");
    template.dataset.g = "0";
    template.content.append(first.cloneNode(true));
    document.body.append(template);
  };
  list.addEventListener("click", event => {
    const item = event.target.closest(".item");
    if (item) choose(Number(item.dataset.n), true);
  });

  const filter = () => {
    const terms = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const method = $("method").value, tactic = $("tactic").value, order = $("order").value;
    visible = [];
    gangs.forEach((it, n) => {
      if (terms.every(term => it.find.includes(term)) && (!method || it.class.includes(method)) &&
          (!tactic || it.tactics.includes(Number(tactic)))) visible.push(n);
    });
    if (order === "recent") visible.sort((a, b) => (gangs[b].last ?? -Infinity) - (gangs[a].last ?? -Infinity) || a - b);
    if (order === "name") visible.sort((a, b) => gangs[a].name.localeCompare(gangs[b].name) || a - b);
    list.scrollTop = 0;
    later();
  };
  for (const id of ["search", "method", "tactic", "order"]) $(id).addEventListener("input", filter);
  document.addEventListener("keydown", event => {
    if (event.key === "Escape") return panel.hidden ? $("search").blur() : close();
    if (event.target.closest(".node") && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      return showNode(event.target.closest(".node"));
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    if (event.key === "/") {
      event.preventDefault();
      $("search").focus();
      return;
    }
    const step = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || (event.key.startsWith("Arrow") && !event.target.closest("#list"))) return;
    event.preventDefault();
    const next = visible[Math.min(visible.length - 1, Math.max(0, visible.indexOf(current) + step))];
    if (next !== undefined) choose(next, true);
  });
  const hash = new URLSearchParams(location.hash.slice(1)).get("gang");
  const wanted = gangs.findIndex(it => it.id === hash);
  paint();
  if (wanted > 0) choose(wanted, true);
})();
