"""The guide's two clients that keep a copy of a board make the same of the same pages, and its TypeScript compiles."""

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.api.client import Client
from tests.readme.board_copies import Query, make_copy, read_code
from tools.openapi.findings import ROOT

TOOLS = ROOT / "node_modules" / ".bin"

REPLAY = """
import { readFileSync } from "node:fs";
import { BoardCopy } from "./board_copy";

const answers = JSON.parse(readFileSync(0, "utf8"));
const copy = new BoardCopy(async (query) => {
  const [expected, status, page] = answers.shift();
  const keys = new Set([...Object.keys(query), ...Object.keys(expected)]);
  for (const key of keys) if (query[key] !== expected[key]) throw new Error(`${key}: ${query[key]}`);
  return { status, page };
});
(async () => {
  while (answers.length) await copy.catchUp();
  const things = Object.entries(copy.things).map(([kind, map]) => [kind, Object.fromEntries(map)]);
  console.log(JSON.stringify({ board: copy.board, things: Object.fromEntries(things) }));
})();
"""


def test_both_clients_make_the_same_of_the_same_pages(mina: Client, omar: Client, tmp_path: Path) -> None:
    board = f"/boards/{mina.post('/boards', {'name': 'Website'}).json['id']}"
    answers: list[tuple[Query, int, Any]] = []

    def get(query: Query) -> tuple[int, Any]:
        response = mina.get(f"{board}/changes?{urlencode(query)}")
        # As after a restore from a backup, once.
        status = 409 if len(answers) == 4 else response.status
        answers.append((dict(query), status, response.json))
        return status, response.json

    copy = make_copy(get)
    mina.put(f"{board}/members/omar", {"role": "editor"})
    label = mina.post(f"{board}/labels", {"name": "Bug", "color": "red"}).json["id"]
    card = mina.post(f"{board}/cards", {"title": "One", "label_ids": [label], "assignee_ids": ["omar"]}).json
    checklist = mina.post(f"{board}/cards/{card['id']}/checklists", {"name": "Steps"}).json["id"]
    item = {"text": "Step", "assignee_id": "omar"}
    mina.post(f"{board}/cards/{card['id']}/checklists/{checklist}/items", item)
    comment = omar.post(f"{board}/cards/{card['id']}/comments", {"text": "Hm."}).json["id"]
    copy.catch_up()
    mina.delete(f"{board}/labels/{label}", If_Match="*")
    mina.delete(f"{board}/members/omar")
    copy.catch_up()
    mina.delete(f"{board}/cards/{card['id']}/comments/{comment}", If_Match="*")
    two = mina.post(f"{board}/cards", {"title": "Two"}).json
    copy.catch_up()
    mina.post(f"{board}/cards/{two['id']}/start")
    mina.delete(f"{board}/lists/{card['list_id']}", If_Match="*")
    copy.catch_up()
    copy.catch_up()

    assert [status for _, status, _ in answers].count(409) == 1
    assert [kind for kind, things in copy.things.items() if things] == ["lists", "members", "cards"]
    assert replay_in_typescript(tmp_path, answers) == {"board": copy.board, "things": copy.things}


def replay_in_typescript(folder: Path, answers: list[tuple[Query, int, Any]]) -> Any:
    (folder / "board_copy.ts").write_text(read_code("typescript"))
    (folder / "replay.ts").write_text(REPLAY)
    compiler = [f"{TOOLS}/tsc", "--strict", "--noEmit", "--target", "es2022", "--moduleResolution", "node"]
    subprocess.run([*compiler, "board_copy.ts"], cwd=folder, check=True)
    run = subprocess.run(
        [f"{TOOLS}/tsx", "replay.ts"],
        cwd=folder,
        input=json.dumps(answers),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)
