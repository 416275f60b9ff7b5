"""The handles for Node, PHP and Java in ``clients/``: each does the same against a sandbox, and starts one itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import Sandbox, SandboxServer
from tests import ROOT
from tests.programs import program

KEY = "correct-horse-battery-staple"
CLIENTS = ROOT / "clients"

NODE = """\
import assert from "node:assert/strict";
import { NotReceivedError, Sandbox, SandboxError } from "./patchworks-sandbox.mjs";

async function push(sandbox, order) {
  const { token_url, inbound_urls, client_id, client_secret } = sandbox.endpoints;
  const form = new URLSearchParams({ grant_type: "client_credentials", client_id, client_secret });
  const token = (await (await fetch(token_url, { method: "POST", body: form })).json()).access_token;
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  return (await fetch(inbound_urls.anything, { method: "POST", headers, body: JSON.stringify({ order }) })).status;
}

const sandbox = await Sandbox.attach();
assert.equal(await push(sandbox, "left over"), 200);
await sandbox.reset();
assert.deepEqual(await sandbox.requests(), []);
assert.equal(await push(sandbox, "1001"), 200);
await sandbox.verify("anything", { json: { order: "1001" } }, { times: 1 });
await assert.rejects(sandbox.verify("anything", { json: { order: "1002" } }), (error) => {
  return error instanceof NotReceivedError && /expected "1002", got "1001"/.test(error.message);
});
await sandbox.addFault({ kind: "status", code: 503 }, { endpoint: "inbound" }, { times: 1 });
assert.deepEqual([await push(sandbox, "1002"), await push(sandbox, "é\\u2028\\"")], [503, 200]);
const came = await sandbox.waitFor({ vanity_url: "anything", outcome: "accepted", count: 2, timeout: 5 });
assert.deepEqual(came.map((entry) => entry.json.order), ["1001", "é\\u2028\\""]);
const before = (await sandbox.control("GET", "/clock")).now;
await sandbox.advance("24h");
assert.equal(Date.parse((await sandbox.control("GET", "/clock")).now) - Date.parse(before) >= 86_400_000, true);
await assert.rejects(sandbox.advance("soon"), (error) => error instanceof SandboxError && error.status === 422);

const own = await Sandbox.start({ command: JSON.parse(process.env.COMMAND) });
assert.equal(await push(own, "2001"), 200);
await own.verify("anything", { json: { order: "2001" } }, { times: 1 });
await own.stop();
await assert.rejects(own.reset());
await assert.rejects(
  Sandbox.start({ command: JSON.parse(process.env.COMMAND), options: ["--wire-profile", "x"] }),
  /did not start.*wire_profile/s,
);
console.log("done");
"""

PHP = """\
<?php
require __DIR__ . '/PatchworksSandbox.php';

function same(mixed $expected, mixed $found): void
{
    if ($expected !== $found) {
        throw new AssertionError(json_encode($expected) . ' is not ' . json_encode($found));
    }
}

function push(PatchworksSandbox $sandbox, string $order): int
{
    $post = function (string $url, string $body, array $headers): array {
        $curl = curl_init($url);
        $options = [CURLOPT_POSTFIELDS => $body, CURLOPT_HTTPHEADER => $headers, CURLOPT_RETURNTRANSFER => true];
        curl_setopt_array($curl, $options);
        $answer = curl_exec($curl);
        return [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $answer];
    };
    $at = $sandbox->endpoints;
    $form = ['grant_type' => 'client_credentials', 'client_id' => $at['client_id']];
    $form['client_secret'] = $at['client_secret'];
    $token = json_decode($post($at['token_url'], http_build_query($form), [])[1], true)['access_token'];
    $headers = ["Authorization: Bearer $token", 'Content-Type: application/json'];
    return $post($at['inbound_urls']['anything'], json_encode(['order' => $order]), $headers)[0];
}

function refused(string $class, string $words, callable $act): void
{
    try {
        $act();
    } catch (RuntimeException $error) {
        same($class, $error::class);
        same(true, str_contains($error->getMessage(), $words) ?: $error->getMessage());
        return;
    }
    throw new AssertionError("nothing was refused: $words");
}

$sandbox = PatchworksSandbox::attach();
same(200, push($sandbox, 'left over'));
$sandbox->reset();
same([], $sandbox->requests());
same(200, push($sandbox, '1001'));
$sandbox->verify('anything', ['json' => ['order' => '1001']], ['times' => 1]);
$wrong = fn () => $sandbox->verify('anything', ['json' => ['order' => '1002']]);
refused(NotReceivedException::class, 'expected "1002", got "1001"', $wrong);
$sandbox->addFault(['kind' => 'status', 'code' => 503], ['endpoint' => 'inbound'], ['times' => 1]);
same([503, 200], [push($sandbox, '1002'), push($sandbox, 'é"')]);
$came = $sandbox->waitFor(['vanity_url' => 'anything', 'outcome' => 'accepted', 'count' => 2, 'timeout' => 5]);
same(['1001', 'é"'], array_map(fn ($entry) => $entry['json']['order'], $came));
$before = strtotime($sandbox->control('GET', '/clock')['now']);
$sandbox->advance('24h');
same(true, strtotime($sandbox->control('GET', '/clock')['now']) - $before >= 86_400);
refused(SandboxException::class, 'body.duration', fn () => $sandbox->advance('soon'));

$command = json_decode(getenv('COMMAND'));
$own = PatchworksSandbox::start([], $command);
same(200, push($own, '2001'));
$own->verify('anything', ['json' => ['order' => '2001']], ['times' => 1]);
$own->stop();
refused(SandboxException::class, '127.0.0.1', fn () => $own->reset());
refused(RuntimeException::class, 'wire_profile', fn () => PatchworksSandbox::start(['--wire-profile', 'x'], $command));
echo "done\\n";
"""

JAVA = """\
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.time.Instant;

public class Drive {
    static String post(String url, String type, String body, String token) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(url)).header("Content-Type", type)
                .header("Authorization", "Bearer " + token).POST(HttpRequest.BodyPublishers.ofString(body)).build();
        var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        return answer.statusCode() + answer.body();
    }

    static int push(PatchworksSandbox sandbox, String order) throws Exception {
        var form = "grant_type=client_credentials&client_id=" + sandbox.clientId()
                + "&client_secret=" + sandbox.clientSecret();
        var token = post(sandbox.tokenUrl(), "application/x-www-form-urlencoded", form, "none");
        token = token.replaceAll(".*\\"access_token\\":\\"([^\\"]+)\\".*", "$1");
        var body = "{\\"order\\":\\"" + order + "\\"}";
        var answer = post(sandbox.inboundUrl("anything"), "application/json", body, token);
        return Integer.parseInt(answer.substring(0, 3));
    }

    static void same(Object expected, Object found) {
        if (!expected.equals(found)) throw new AssertionError(expected + " is not " + found);
    }

    interface Act { void act() throws Exception; }

    static void refused(Class<?> kind, String words, Act act) throws Exception {
        try {
            act.act();
        } catch (RuntimeException | Error error) {
            same(kind, error.getClass());
            if (!error.getMessage().contains(words)) throw new AssertionError(error.getMessage());
            return;
        }
        throw new AssertionError("nothing was refused: " + words);
    }

    public static void main(String[] command) throws Exception {
        var sandbox = PatchworksSandbox.attach();
        same(200, push(sandbox, "left over"));
        sandbox.reset();
        same(List.of(), sandbox.requests(Map.of()));
        same(200, push(sandbox, "1001"));
        sandbox.verify("anything", Map.of("json", Map.of("order", "1001")), 1);
        refused(PatchworksSandbox.NotReceivedError.class, "expected \\"1002\\", got \\"1001\\"",
                () -> sandbox.verify("anything", Map.of("json", Map.of("order", "1002")), 1));
        sandbox.addFault(Map.of("kind", "status", "code", 503), Map.of("endpoint", "inbound"), Map.of("times", 1));
        same(503, push(sandbox, "1002"));
        same(200, push(sandbox, "\\u00e9\\\\\\"\\\\n"));
        var came = sandbox.waitFor(Map.of("vanity_url", "anything", "outcome", "accepted", "count", 2, "timeout", 5));
        same(Map.of("order", "1001"), came.get(0).get("json"));
        same(Map.of("order", "\\u00e9\\"\\n"), came.get(1).get("json"));
        same(200L, came.get(0).get("status"));
        sandbox.advance("24h");
        var now = Instant.parse((String) ((Map<?, ?>) sandbox.control("GET", "/clock", null)).get("now"));
        same(true, now.isAfter(Instant.now().plusSeconds(86_000)));
        refused(PatchworksSandbox.SandboxException.class, "body.duration", () -> sandbox.advance("soon"));
        refused(IllegalArgumentException.class, "known: [orders, products, anything]",
                () -> sandbox.inboundUrl("nothing"));

        try (var own = PatchworksSandbox.start(List.of(command))) {
            same(200, push(own, "2001"));
            own.verify("anything", Map.of("json", Map.of("order", "2001")), 1);
        }
        refused(IllegalStateException.class, "wire_profile",
                () -> PatchworksSandbox.start(List.of(command), "--wire-profile", "x"));
        System.out.println("done");
    }
}
"""

COMMAND = [sys.executable, "-m", "sandbox.cli"]


@pytest.fixture
def drive(make_sandbox: Callable[..., Sandbox], tmp_path: Path) -> Callable[..., None]:
    """Run a program beside a copy of a handle, with a sandbox that needs a key in its environment."""

    def run(handle: str, name: str, text: str, *command: str) -> None:
        (tmp_path / handle).write_bytes((CLIENTS / handle).read_bytes())
        (tmp_path / name).write_text(text, encoding="utf-8")
        own = {name: value for name, value in os.environ.items() if not name.startswith("PATCHWORKS_SANDBOX_")}
        with SandboxServer(make_sandbox(control_key=KEY)) as server:
            own |= {"PATCHWORKS_SANDBOX_URL": server.base_url, "COMMAND": json.dumps(COMMAND), "PYTHONPATH": str(ROOT)}
            own |= {"PATCHWORKS_SANDBOX_CONTROL_KEY": KEY}
            done = subprocess.run(
                command, cwd=tmp_path, env=own, capture_output=True, text=True, timeout=90, check=False
            )

        assert (done.returncode, done.stdout) == (0, "done\n"), done.stdout + done.stderr

    return run


def test_node(drive: Callable[..., None]) -> None:
    drive("patchworks-sandbox.mjs", "drive.mjs", NODE, program("node", in_ci=True), "drive.mjs")


def test_php(drive: Callable[..., None]) -> None:
    drive("PatchworksSandbox.php", "drive.php", PHP, program("php", in_ci=True), "drive.php")


def test_java(drive: Callable[..., None]) -> None:
    program("javac", in_ci=False)
    # One source file only can be run as it is, so the handle is compiled first.
    compile_and_run = 'javac -nowarn Drive.java PatchworksSandbox.java && java -Xshare:auto Drive "$@"'
    drive("PatchworksSandbox.java", "Drive.java", JAVA, "sh", "-ec", compile_and_run, "sh", *COMMAND)
