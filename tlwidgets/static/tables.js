// The numbers behind a chart, as a table that can be sorted.

/**
 * A table that opens below `summary`: `update({head, rows, sort, caption})`, where `rows` are words and `sort` has a value
 * for each. A click on a column's head sorts by it, a second one the other way round.
 */
function createSortedTable(summary) {
  const caption = h("caption", { class: "tl-quiet" });
  const head = h("tr");
  const body = h("tbody");
  const scroll = h("div", { class: "tl-scroll", tabindex: "0", role: "region" }, h("table", {}, caption, h("thead", {}, head), body));
  const label = h("summary", {}, summary);
  const el = h("details", { class: "tl-details" }, label, scroll);
  let shown = null;
  let seen = "";
  let order = null; // {column, down}

  function fill() {
    const place = order ? shown.head.indexOf(order.column) : -1;
    const rows = shown.rows.map((row, index) => ({ row, key: place < 0 ? index : shown.sort[index][place] }));
    if (place >= 0) rows.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0) * (order.down ? -1 : 1));
    body.replaceChildren(...rows.map(({ row }) => h("tr", {}, row.map((cell) => h("td", {}, cell)))));
    [...head.children].forEach((cell, index) => attr(cell, "aria-sort", index === place ? (order.down ? "descending" : "ascending") : "none"));
  }

  function sortBy(column) {
    order = { column, down: order?.column === column ? !order.down : typeof shown.sort[0]?.[shown.head.indexOf(column)] === "number" };
    fill();
  }

  const update = (table) => {
    const now = JSON.stringify(table);
    if (now === seen) return;
    seen = now;
    const heads = shown?.head.join("|");
    shown = table;
    if (heads !== table.head.join("|")) head.replaceChildren(...table.head.map((column) => h("th", { scope: "col" }, h("button", { type: "button", class: "tl-sort", title: `Sort by ${column}`, onclick: () => sortBy(column) }, column))));
    text(caption, table.caption);
    attr(scroll, "aria-label", table.caption);
    fill();
  };
  return { el, update };
}
