// Converts a tree into the HTML that the examples of CommonMark expect, for comparison only.

const INLINE = { emphasis: "em", strong: "strong", strike: "del" };

export function toHtml(document) {
  return document.children.map(block).join("");
}

function block(node) {
  switch (node.type) {
    case "paragraph": return `<p>${inline(node.children)}</p>\n`;
    case "heading": return `<h${node.level}>${inline(node.children)}</h${node.level}>\n`;
    case "pre": return `<pre><code>${inline(node.children)}</code></pre>\n`;
    case "rule": return "<hr />\n";
    case "quote": return `<blockquote>\n${node.children.map(block).join("")}</blockquote>\n`;
    case "list": return list(node);
    case "table": return `<table>\n${node.rows.map(row).join("")}</table>\n`;
    default: throw new Error(node.type);
  }
}

function row(cells, index) {
  const tag = index ? "td" : "th";
  return `<tr>${cells.map((cell) => `<${tag}>${inline(cell)}</${tag}>`).join("")}</tr>\n`;
}

function list({ start, isTight, children }) {
  const tag = start === null ? "ul" : "ol";
  const attribute = start === null || start === 1 ? "" : ` start="${start}"`;
  return `<${tag}${attribute}>\n${children.map((item) => `<li>${content(item, isTight)}</li>\n`).join("")}</${tag}>\n`;
}

function content({ task, children }, isTight) {
  let html = task === null ? "" : `[${task ? "x" : " "}] `;
  children.forEach((child, index) => {
    const isBare = isTight && child.type === "paragraph";
    if (!isBare && !html.endsWith("\n")) html += "\n";
    html += isBare ? inline(child.children) : block(child);
    if (isBare && index < children.length - 1) html += "\n";
  });
  return html;
}

function inline(nodes) {
  return nodes.map((node) => {
    switch (node.type) {
      case "text": return escape(node.text);
      case "break": return node.isHard ? "<br />\n" : "\n";
      case "code": return `<code>${inline(node.children)}</code>`;
      case "link": return link(node);
      default: return `<${INLINE[node.type]}>${inline(node.children)}</${INLINE[node.type]}>`;
    }
  }).join("");
}

function link({ kind, href, title, children }) {
  const attribute = title && ` title="${escape(title)}"`;
  const address = escape(encode(href));
  if (kind === "image") return `<img src="${address}" alt="${inline(children).replace(/<img [^>]*alt="([^"]*)"[^>]*>|<[^>]+>/g, "$1")}"${attribute} />`;
  return `<a href="${address}"${attribute}>${inline(children)}</a>`;
}

function encode(href) {
  return href.replace(/[^\w\-.!~*'();/?:@&=+$,#%]+/gu, (part) => encodeURI(part).replaceAll("[", "%5B").replaceAll("]", "%5D"))
    .replace(/%(?![0-9A-Fa-f]{2})/g, "%25");
}

function escape(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
