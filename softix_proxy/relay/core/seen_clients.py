"""Counts in memory from where and with what keys are used, and who guesses keys. A job writes it down in groups.

Nothing is kept here for longer than some seconds. What a client calls itself is outsider's text: it is read by the job,
which keeps words of softix only.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from softix_proxy.domain.access.networks import client_network
from softix_proxy.domain.privacy.technical_data import FURTHER, SeenTally

MOST_USES: Final = 5000
"""The combinations of key, address, program and TLS that are told apart between two groups."""
MOST_USES_OF_KEY: Final = 250
"""Those of one key, so that nobody with a single key takes the room of all others."""
MOST_NETWORKS: Final = 2000
"""The networks of those who guess keys that are told apart between two groups."""
_MOST_LETTERS: Final = 256
"""What is looked at of the words by which a program calls itself. Real ones are shorter."""


class ClientUse(NamedTuple):
    """What one key did from one place with one program since the group before."""

    key_id: int
    address: str
    """`FURTHER` if there was no room to tell more places apart. Then the program is not told apart either."""
    user_agent: str
    """The program's own words. They are not kept."""
    tls: str
    first_us: int
    last_us: int
    requests: int


class NetworkGuess(NamedTuple):
    """What one network guessed since the group before."""

    network: str
    first_us: int
    last_us: int
    failed: int
    slowed: int


_Place = tuple[int, str, str, str]


class SeenClients:
    """The uses of keys, and the guesses, since they were last taken. The memory is bounded."""

    def __init__(self, tally: SeenTally | None = None) -> None:
        self.tally = tally or SeenTally()
        self._uses: dict[_Place, list[int]] = {}
        """Place → first and last instant, and the number of requests."""
        self._of_key: dict[int, int] = {}
        self._guesses: dict[str, list[int]] = {}

    def note(self, key_id: int, address: str, user_agent: str, tls: str, at_us: int) -> None:
        """Counts a request with a valid key. Every request calls this, so it does next to nothing."""
        place = key_id, address, user_agent, tls
        use = self._uses.get(place)
        if use is not None:
            use[1] = at_us
            use[2] += 1
        elif len(user_agent) > _MOST_LETTERS:
            self._begin((key_id, address, user_agent[:_MOST_LETTERS], tls), at_us, at_us, 1)
        else:
            self._begin(place, at_us, at_us, 1)

    def guessed(self, address: str, at_us: int, *, slowed: bool) -> None:
        """Counts an invalid key, or the refusal of a further one."""
        self.tally.failed_keys += not slowed
        self.tally.slowed_keys += slowed
        self._begin_guess(NetworkGuess(client_network(address), at_us, at_us, int(not slowed), int(slowed)))

    def take(self) -> tuple[list[ClientUse], list[NetworkGuess]]:
        """Returns everything since the last call, and forgets it."""
        uses, guesses = self._uses, self._guesses
        self._uses, self._of_key, self._guesses = {}, {}, {}
        return (
            [ClientUse(*place, *counts) for place, counts in uses.items()],
            [NetworkGuess(network, *counts) for network, counts in guesses.items()],
        )

    def give_back(self, uses: list[ClientUse], guesses: list[NetworkGuess]) -> None:
        """Counts again what could not be written."""
        for use in uses:
            self._begin(use[:4], use.first_us, use.last_us, use.requests)
        for guess in guesses:
            self._begin_guess(guess)

    def _begin(self, place: _Place, first_us: int, last_us: int, requests: int) -> None:
        use = self._uses.get(place)
        if use is None:
            of_key = self._of_key.get(place[0], 0)
            if of_key < MOST_USES_OF_KEY and len(self._uses) < MOST_USES:
                self._of_key[place[0]] = of_key + 1
                self._uses[place] = [first_us, last_us, requests]
                return
            self.tally.not_kept += requests
            place = (place[0], FURTHER, FURTHER, "")
            use = self._uses.get(place)
            if use is None:
                if len(self._uses) < 2 * MOST_USES:
                    self._uses[place] = [first_us, last_us, requests]
                return
        use[0], use[1] = min(use[0], first_us), max(use[1], last_us)
        use[2] += requests

    def _begin_guess(self, guess: NetworkGuess) -> None:
        network = guess.network
        if network not in self._guesses and len(self._guesses) >= MOST_NETWORKS:
            self.tally.not_kept += guess.failed + guess.slowed
            network = FURTHER
        counts = self._guesses.setdefault(network, [guess.first_us, guess.last_us, 0, 0])
        counts[0], counts[1] = min(counts[0], guess.first_us), max(counts[1], guess.last_us)
        counts[2] += guess.failed
        counts[3] += guess.slowed
