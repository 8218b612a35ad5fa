"""Random writes to everything on a board."""

import random

from tests.api.client import Client
from tests.api.manual_clock import ManualClock


class RandomWriter:
    """Write to everything on a board at random, and remember which `seq` made which version of what."""

    def __init__(self, mina: Client, board: str, clock: ManualClock, generator: random.Random) -> None:
        self.mina, self.board, self.clock, self.generator = mina, board, clock, generator
        self.list_ids = [list_["id"] for list_ in mina.get(f"{board}/lists").json["items"]]
        self.lists = [f"{board}/lists/{list_id}" for list_id in self.list_ids]
        self.first, self.second = (
            f"{board}/cards/{mina.post(f'{board}/cards', {'title': title}).json['id']}" for title in ("First", "Second")
        )
        checklists = f"{self.first}/checklists"
        self.checklist = f"{checklists}/{mina.post(checklists, {'name': 'Steps'}).json['id']}"
        self.item = f"{self.checklist}/items/{mina.post(f'{self.checklist}/items', {'text': 'One'}).json['id']}"
        mina.post(f"{self.checklist}/items", {"text": "Two"})
        clock.advance(hours=1)
        entry = {"started_at": "2026-11-20T14:01:00Z", "ended_at": "2026-11-20T14:30:00Z"}
        self.entry = f"{self.first}/time-entries/{mina.post(f'{self.first}/time-entries', entry).json['id']}"
        self.names = {board: "name", **dict.fromkeys(self.lists, "name"), self.first: "title", self.second: "title"}
        self.names |= {self.checklist: "name", self.item: "text", self.entry: "note"}
        self.versions: dict[str, dict[int, int]] = {path: {} for path in self.names}
        self.record_versions()

    def write(self) -> None:
        """Make one random write, which may be refused."""
        self.clock.advance(seconds=self.generator.randint(0, 90))
        acts = [self.edit, self.step, self.move, self.correct_time, self.delete_and_restore]
        self.generator.choices(acts, [6, 8, 6, 1, 1])[0]()
        self.record_versions()

    def record_versions(self) -> None:
        """Remember the present versions, of which the newest was made by the newest event, if it is new."""
        seq = self.mina.get(self.board).json["seq"]
        for path, seqs in self.versions.items():
            response = self.mina.get(path)
            if response.status == 200:
                seqs.setdefault(response.json["version"], seq)

    def edit(self) -> None:
        """Give something another name, text or note."""
        path, name = self.generator.choice([*self.names.items()])
        self.mina.patch(path, {name: f"Text {self.generator.random()}"}, If_Match="*")

    def step(self) -> None:
        """Move a card to another stage, or archive or unarchive a card or a list."""
        card_step = self.generator.choice(["start", "resolve", "reopen", "archive", "unarchive"])
        list_step = self.generator.choice(["archive", "unarchive"])
        card = self.generator.choice([self.first, self.second])
        self.mina.post(
            *self.generator.choices([(f"{card}/{card_step}",), (f"{self.lists[1]}/{list_step}",)], [8, 1])[0]
        )

    def move(self) -> None:
        """Move something among others, or write a comment."""
        position = {"position": self.generator.choice(("top", "bottom"))}
        one, two, _ = list_ids = self.generator.sample(self.list_ids, 3)
        requests: list[tuple[str, dict[str, object]]] = [
            (f"{self.first}/move", {"list_id": one, **position}),
            (f"{self.board}/lists/{one}/move-cards", {"list_id": two}),
            (f"{self.board}/lists/{one}/move", {**position}),
            (f"{self.item}/move", {**position}),
            (f"{self.second}/comments", {"text": "Hm."}),
        ]
        self.mina.post(*self.generator.choice(requests))
        self.record_versions()
        self.mina.put(f"{self.board}/list-order", {"list_ids": list_ids})

    def correct_time(self) -> None:
        """Give the time entry another end."""
        ended_at = f"2026-11-20T14:{self.generator.randint(31, 59)}:00Z"
        self.mina.patch(self.entry, {"ended_at": ended_at}, If_Match="*")

    def delete_and_restore(self) -> None:
        """Delete a card and restore it."""
        card = self.mina.get(self.second)
        if card.status == 200:
            self.mina.delete(self.second, If_Match="*")
            self.versions[self.second][card.json["version"] + 1] = self.mina.get(self.board).json["seq"]
        self.mina.post(f"{self.second}/restore")
