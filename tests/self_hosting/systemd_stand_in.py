"""Stands in for systemctl and journalctl on a machine without systemd, under the name of each.

It runs on the machine's own Python, starts what the units say as the user whom they name, and isolates nothing.
Services have the network of the machine's first process. Caddy signs its certificates itself.
"""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

UNITS = Path("/etc/systemd/system")
STATE = Path("/run/stand-in")
LOGS = Path("/var/log/stand-in")
MAX_STOP_SECONDS = 20
CADDY_OPTIONS = "{\n\tlocal_certs\n\tskip_install_trust\n\tadmin off\n}\n"


def main() -> int:
    """Do what the program with this name would."""
    STATE.mkdir(exist_ok=True)
    LOGS.mkdir(exist_ok=True)
    program, arguments = Path(sys.argv[0]).name, sys.argv[1:]
    if program == "journalctl":
        print((LOGS / arguments[arguments.index("--unit") + 1]).read_text(), end="")
        return 0
    command, *units = [argument for argument in arguments if not argument.startswith("--")]
    for unit in units:
        {"enable": enable, "start": start, "stop": stop, "reload": reload, "restart": reload}[command](unit)
    return 0 if units or command == "daemon-reload" else 1


def read_unit(unit: str) -> dict[str, str]:
    """Return the settings of a unit, of those with several values the last."""
    name, _, instance = unit.removesuffix(".service").partition("@")
    file = UNITS / (f"{name}@.service" if instance else unit)
    lines = (line.partition("=") for line in file.read_text().splitlines() if "=" in line and line[0] != "#")
    return {key: value.replace("%i", instance) for key, _, value in lines}


def enable(unit: str) -> None:
    """Start a service; of a timer see that there is what it starts."""
    if unit.endswith(".timer"):
        settings = read_unit(unit)
        assert settings["OnCalendar"]
        assert read_unit(settings["Unit"])["Type"] == "oneshot"
    else:
        start(unit)


def start(unit: str) -> None:
    """Start a service, or run it to its end if it ends by itself."""
    if unit == "caddy.service":
        configuration = STATE / "Caddyfile"
        configuration.write_text(CADDY_OPTIONS + Path("/etc/caddy/Caddyfile").read_text())
        command, user, folder = f"caddy run --config {configuration} --adapter caddyfile", "caddy", "/var/lib/caddy"
        settings = {"Type": "notify"}
    else:
        settings = read_unit(unit)
        command, user, folder = settings["ExecStart"], settings["User"], settings["WorkingDirectory"]
        subprocess.run(
            ["install", "-d", "-m", settings["StateDirectoryMode"], "-o", user, "-g", user, folder], check=True
        )
    line = command_line(command.split(), user)
    variable, _, value = settings.get("Environment", "").partition("=")
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": folder, variable or "UNIT": value}
    with (LOGS / unit).open("a") as log:
        if settings["Type"] == "oneshot":
            subprocess.run(line, cwd=folder, env=environment, stdout=log, stderr=log, check=True)
            return
        process = subprocess.Popen(
            line, cwd=folder, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    (STATE / unit).write_text(str(process.pid))


def stop(unit: str) -> None:
    """Stop a service, and wait until it has ended."""
    process = os.pidfd_open(int((STATE / unit).read_text()))
    signal.pidfd_send_signal(process, signal.SIGTERM)
    ended, _, _ = select.select([process], [], [], MAX_STOP_SECONDS)
    assert ended, f"{unit} did not stop."
    (STATE / unit).unlink()


def reload(unit: str) -> None:
    """Start a service with its new configuration."""
    if (STATE / unit).exists():
        stop(unit)
    start(unit)


def command_line(command: list[str], user: str) -> list[str]:
    """Return the command, run by that user, without any right to get more rights, in the machine's network."""
    rights = [f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs"]
    # Caddy may listen on ports below 1024.
    kept = "-all,+net_bind_service" if user == "caddy" else "-all"
    rights += [f"--inh-caps={kept}", f"--ambient-caps={kept}", f"--bounding-set={kept}"]
    return ["nsenter", "--target", "1", "--net", "setpriv", *rights, "--", *command]


if __name__ == "__main__":
    sys.exit(main())
