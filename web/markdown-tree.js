// The syntax tree of a Markdown text: its nodes and its maximal depth.
//
// `from` and `to` are offsets in the source. The text nodes contain everything that is shown, in the order of the source;
// everything between them is markers. So tests can check that no character is lost.

/**
 * @typedef {{type: "text", text: string, from: number, to: number}} Text  `text` is `source.slice(from, to)`, or white
 *     space that replaces white space
 * @typedef {{type: "break", isHard: boolean, from: number, to: number}} Break
 * @typedef {{type: "code", children: Text[], from: number, to: number}} CodeSpan
 * @typedef {{type: "emphasis" | "strong" | "strike", children: Inline[], from: number, to: number}} Emphasis
 * @typedef {{type: "link", kind: "link" | "image" | "auto" | "bare", href: string, title: string, open: string,
 *     close: string, children: Inline[], from: number, to: number}} Link  `open` and `close` are its markers as written
 * @typedef {Text | Break | CodeSpan | Emphasis | Link} Inline
 *
 * @typedef {{type: "document" | "quote", children: Block[]}} Container
 * @typedef {{type: "list", delimiter: string, start: number | null, isTight: boolean, children: Item[]}} List
 * @typedef {{type: "item", number: number, task: boolean | null, indent: number, children: Block[]}} Item
 * @typedef {{type: "paragraph", children: Inline[]}} Paragraph
 * @typedef {{type: "heading", level: number, children: Inline[]}} Heading
 * @typedef {{type: "pre", fence: Fence | null, children: Text[]}} CodeBlock
 * @typedef {{type: "rule"}} Rule
 * @typedef {{type: "table", aligns: Align[], rows: Inline[][][]}} Table  The first row is the head
 * @typedef {Container | List | Item | Paragraph | Heading | CodeBlock | Rule | Table} Block
 *
 * @typedef {{mark: string, length: number, indent: number, from: number, to: number}} Fence  From and to of its line
 * @typedef {"start" | "center" | "end" | null} Align
 *
 * @typedef {{text: string, offsets: number[]}} Content  Text without the markers of blocks, and the offset of
 *     each of its characters in the source
 */

/** How deep blocks nest; a list and its item count as two. Markers of deeper blocks are text. */
export const MAX_OPEN_BLOCKS = 50;

/** How deep emphasis nests. Delimiters of deeper emphasis are text. */
export const MAX_EMPHASIS = 32;

/** How deep images nest. Brackets of deeper images are text. */
export const MAX_IMAGES = 8;
