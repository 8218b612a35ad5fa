// Counts what the parser does with a text, on whatever machine: a copy of its modules counts each block that it enters.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";

const WEB = new URL("../../web/", import.meta.url);
const { factory } = ts;
const step = () => factory.createPostfixIncrement(factory.createPropertyAccessExpression(factory.createIdentifier("globalThis"), "steps"));

/** The parser of a copy in this folder, which counts in `globalThis.steps`. */
export async function countingParser(folder) {
  for (const name of readdirSync(WEB).filter((name) => /^markdown-.*\.js$/.test(name))) {
    const source = ts.createSourceFile(name, readFileSync(new URL(name, WEB), "utf8"), ts.ScriptTarget.ESNext, true);
    const { transformed } = ts.transform(source, [(context) => (root) => visit(root, context)]);
    writeFileSync(join(folder, name), ts.createPrinter().printFile(transformed[0]));
  }
  const { parse } = await import(pathToFileURL(join(folder, "markdown-blocks.js")));
  return (text) => {
    globalThis.steps = 0;
    parse(text);
    return globalThis.steps;
  };
}

function visit(node, context) {
  const inner = ts.visitEachChild(node, (child) => visit(child, context), context);
  if (ts.isBlock(inner)) return factory.updateBlock(inner, [factory.createExpressionStatement(step()), ...inner.statements]);
  if (ts.isIterationStatement(inner, false) && !ts.isBlock(inner.statement)) return counted(inner, context);
  if (ts.isArrowFunction(inner) && !ts.isBlock(inner.body)) {
    const body = factory.createParenthesizedExpression(factory.createComma(step(), inner.body));
    return factory.updateArrowFunction(inner, inner.modifiers, inner.typeParameters, inner.parameters, inner.type, inner.equalsGreaterThanToken, body);
  }
  return inner;
}

/** A loop of one statement, which counts too. */
function counted(loop, context) {
  const block = factory.createBlock([factory.createExpressionStatement(step()), loop.statement], true);
  return ts.visitEachChild(loop, (child) => (child === loop.statement ? block : child), context);
}
