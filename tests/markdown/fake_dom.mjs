// The part of the DOM that web/dom.js needs, so that the elements of the page can be tested without a browser.

class Node {
  constructor(tag) {
    this.tag = tag;
    this.attributes = new Map();
    this.children = [];
  }

  setAttribute(name, value) {
    this.attributes.set(name, value);
  }

  set title(value) {
    this.setAttribute("title", value);
  }

  append(...children) {
    this.children.push(...children);
  }

  replaceChildren(...children) {
    this.children = children;
  }

  toString() {
    const content = this.children.map((child) => (child instanceof Node ? String(child) : escape(child))).join("");
    const attributes = [...this.attributes].map(([name, value]) => ` ${name}="${escape(value)}"`).join("");
    if (!this.tag) return content;
    return ["br", "hr", "input"].includes(this.tag) ? `<${this.tag}${attributes}>` : `<${this.tag}${attributes}>${content}</${this.tag}>`;
  }
}

function escape(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

globalThis.Node = Node;
globalThis.document = { createElement: (tag) => new Node(tag), createDocumentFragment: () => new Node("") };
