// Counts the steps of the parser, independently of the machine: a copy of its modules counts every block that is entered.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";

const WEB = new URL("../../web/", import.meta.url);
const { factory } = ts;
const createIncrement = () => factory.createPostfixIncrement(factory.createPropertyAccessExpression(factory.createIdentifier("globalThis"), "steps"));

/** Write a copy of the parser that counts its steps into a folder. Return a function that counts the steps for a text. */
export async function createStepCounter(folder) {
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
  if (ts.isBlock(inner)) return factory.updateBlock(inner, [factory.createExpressionStatement(createIncrement()), ...inner.statements]);
  if (ts.isIterationStatement(inner, false) && !ts.isBlock(inner.statement)) return countIterations(inner, context);
  if (ts.isArrowFunction(inner) && !ts.isBlock(inner.body)) {
    const body = factory.createParenthesizedExpression(factory.createComma(createIncrement(), inner.body));
    return factory.updateArrowFunction(inner, inner.modifiers, inner.typeParameters, inner.parameters, inner.type, inner.equalsGreaterThanToken, body);
  }
  return inner;
}

/** Make a loop whose body is a single statement count its iterations. */
function countIterations(loop, context) {
  const block = factory.createBlock([factory.createExpressionStatement(createIncrement()), loop.statement], true);
  return ts.visitEachChild(loop, (child) => (child === loop.statement ? block : child), context);
}
