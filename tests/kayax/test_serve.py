"""kayax serve: the Open Inference Protocol over real sockets on the loopback address, its limits and its errors."""
import gzip
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import kayax as paddle
from kayax import nn
from kayax.jit import save
from kayax.static import InputSpec

pytest.importorskip("uvicorn", reason="kayax serve needs its extra: pip install 'kayax[serve]'")
pytest.importorskip("starlette", reason="kayax serve needs its extra: pip install 'kayax[serve]'")

import uvicorn

from kayax.io.session import Session
from kayax.serve import batching
from kayax.serve.app import Limits, make_app


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.embed, self.body = nn.Embedding(10, 4), nn.Linear(8, 3)

    def forward(self, x, ids):
        out = self.body(paddle.concat([x, self.embed(ids)], -1))
        return {"logits": out, "best": out.argmax(-1)}


SPECS = [InputSpec(["batch", 4], "float32", "x"), InputSpec(["batch"], "int64", "ids")]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    net, prefix = Net(), str(tmp_path_factory.mktemp("serve") / "net")
    net.eval()
    save(net, prefix, input_spec=SPECS, trainable=False)
    return net, prefix


class Server:
    """The service in a thread."""

    def __init__(self, session, **limits):
        app = make_app(session, "net", Limits(**limits))
        self.server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="on"))
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive()
            time.sleep(0.01)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]

    def stop(self):
        self.server.should_exit = True
        self.thread.join(30)
        assert not self.thread.is_alive()

    def ask(self, path, body=None, **headers):
        """Status, headers and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET" if body is None else "POST", path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
            kind = answer.headers["Content-Type"]
            return answer.status, answer.headers, json.loads(data) if kind == "application/json" else data
        finally:
            connection.close()

    def infer(self, body, **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("/v2/models/net/infer", data, **headers)


@pytest.fixture(scope="module")
def server(saved):
    running = Server(Session(saved[1]), max_body=20_000, max_batch=8, max_programs=6)
    yield running
    running.stop()


def arrays(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 4)).astype("float32"), rng.integers(0, 10, n)


def expected(net, x, ids):
    out = net(paddle.to_tensor(x), paddle.to_tensor(ids))
    return out["logits"].numpy(), out["best"].numpy()


def question(n, **changes):
    x, ids = arrays(n)
    return {"inputs": [{"name": "x", "shape": [n, 4], "datatype": "FP32", "data": x.tolist()},
                       {"name": "ids", "shape": [n], "datatype": "INT64", "data": ids.tolist()}], **changes}


def test_health_and_metadata(server):
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/net/ready", "/v2/models/net/versions/1/ready"):
        assert server.ask(path)[0] == 200
    assert server.ask("/v2")[2]["extensions"] == ["binary_tensor_data"]
    found = server.ask("/v2/models/net")[2]
    assert found["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 4]},
                               {"name": "ids", "datatype": "INT64", "shape": [-1]}]
    assert [o["name"] for o in found["outputs"]] == ["logits", "best"] and found["outputs"][1]["datatype"] == "INT64"
    assert len(found["parameters"]["digest"]) == 32 and found["parameters"]["max_batch"] == 8


def test_json(server, saved):
    status, _, answer = server.infer(question(3, id="q7"))
    assert status == 200 and answer["id"] == "q7" and answer["model_name"] == "net"
    logits, best = answer["outputs"]
    want = expected(saved[0], *arrays(3))
    assert logits["shape"] == [3, 3] and best["data"] == want[1].tolist()
    np.testing.assert_allclose(np.reshape(logits["data"], (3, 3)), want[0], rtol=1e-5, atol=1e-6)
    packed = gzip.compress(json.dumps(question(3, outputs=[{"name": "best"}])).encode())
    status, _, answer = server.infer(packed, **{"Content-Encoding": "gzip"})
    assert status == 200 and [o["name"] for o in answer["outputs"]] == ["best"]


def test_the_public_client(server, saved):
    tritonclient = pytest.importorskip("tritonclient.http", reason="needs pip install 'kayax[serve-test]'")
    client = tritonclient.InferenceServerClient(f"127.0.0.1:{server.port}")
    try:
        assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("net")
        assert client.get_server_metadata()["name"] == "kayax"
        assert client.get_model_metadata("net")["platform"]
        x, ids = arrays(5)
        want = expected(saved[0], x, ids)
        for binary_in in (True, False):
            for binary_out in (True, False):
                inputs = [tritonclient.InferInput("x", x.shape, "FP32"),
                          tritonclient.InferInput("ids", ids.shape, "INT64")]
                for given, array in zip(inputs, (x, ids), strict=True):
                    given.set_data_from_numpy(array, binary_data=binary_in)
                outputs = [tritonclient.InferRequestedOutput(name, binary_data=binary_out)
                           for name in ("best", "logits")]
                result = client.infer("net", inputs, outputs=outputs, request_id="7",
                                      request_compression_algorithm="gzip" if binary_out else None)
                np.testing.assert_allclose(result.as_numpy("logits"), want[0], rtol=1e-5, atol=1e-6)
                np.testing.assert_array_equal(result.as_numpy("best"), want[1])
        inputs[0] = tritonclient.InferInput("x", (5, 4), "FP64")
        inputs[0].set_data_from_numpy(x.astype("float64"))
        with pytest.raises(tritonclient.InferenceServerException, match="datatype of the input 'x' should be FP32"):
            client.infer("net", inputs)
    finally:
        client.close()


def changed(index=0, **fields):
    body = question(2)
    body["inputs"][index].update(fields)
    return body


BAD = {
    "no json": (b"{", "not valid JSON"), "a list": (b"[]", "JSON object"), "deep": (b"[" * 15_000, "not valid JSON"),
    "no inputs": ({}, "'inputs' should be of type list"), "a number": ({"inputs": [3]}, "object with a 'name'"),
    "no name": (changed(name="z"), "no input 'z'. Its inputs are: x, ids"),
    "twice": ({"inputs": question(1)["inputs"][:1] * 2}, "'x' is twice"),
    "missing": ({"inputs": question(1)["inputs"][:1]}, "'ids' is missing"),
    "datatype": (changed(datatype="FP16"), "should be FP32"), "datatype kind": (changed(datatype=[]), "should be FP32"),
    "shape": (changed(shape="big"), "shape of 'x'"), "negative": (changed(shape=[-1, 4]), "shape of 'x'"),
    "huge": (changed(shape=[1 << 30] * 4), "shape of 'x'"), "bool dim": (changed(shape=[True, 8]), "shape of 'x'"),
    "count": (changed(shape=[3, 4]), "8 values"), "rank": (changed(shape=[8]), "2 dimensions"),
    "width": (changed(shape=[4, 2]), "should be 4"), "batch": (changed(1, shape=[1], data=[1]), "'batch' is 2 in"),
    "empty": ({"inputs": [dict(e, shape=[0, *e["shape"][1:]], data=[]) for e in question(1)["inputs"]]}, "empty"),
    "text": (changed(data=["a"] * 8), "numbers of float32"), "ragged": (changed(data=[[1], [2, 3]]), "numbers"),
    "floats": (changed(1, data=[1.5, 2.5]), "numbers of int64"), "large": (changed(1, data=[1 << 70, 1]), "numbers"),
    "larger": (changed(1, data=[(1 << 63) + 1, 1]), "int64"), "null": (changed(data=None), "neither 'data'"),
    "bytes": (changed(parameters={"binary_data_size": 31}), "binary_data_size of 'x' is 31"),
    "no bytes": (changed(parameters={"binary_data_size": 32}), "only 0 follow"),
    "output": (question(1, outputs=[{"name": "zzz"}]), "no output 'zzz'. Its outputs are: logits, best"),
    "classes": (question(1, outputs=[{"name": "best", "parameters": {"classification": 3}}]), "Classification"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_requests_are_told_what_is_wrong(server, name):
    body, text = BAD[name]
    status, _, answer = server.infer(body)
    assert status == 400 and text in answer["error"], answer


def test_other_errors(server):
    assert server.infer(b"x" * 20_001)[0] == 413
    bomb = gzip.compress(bytes(1 << 24))
    assert len(bomb) < 20_000 and server.infer(bomb, **{"Content-Encoding": "gzip"})[0] == 413
    assert server.infer(b"no gzip", **{"Content-Encoding": "gzip"})[0] == 400
    assert server.infer(gzip.compress(b"{}")[:-4], **{"Content-Encoding": "gzip"})[0] == 400
    assert server.infer(b"{}", **{"Content-Encoding": "br"})[0] == 415
    for length in ("-1", "9999", "x"):
        assert server.infer(b"{}", **{"Inference-Header-Content-Length": length})[0] == 400
    assert "no model 'other'" in server.ask("/v2/models/other")[2]["error"]
    for path in ("/v2/models/net/versions/2/ready", "/v2/models/other/infer", "/nothing"):
        assert server.ask(path, *([b"{}"] if path.endswith("infer") else []))[0] == 404
    assert server.ask("/v2/models/net/infer")[0] == 405
    assert server.infer(question(3))[0] == 200


def test_metrics(server):
    server.infer(question(2))
    server.infer(b"{")
    text = server.ask("/metrics")[2].decode()
    counts = dict(re.findall(r'kayax_requests_total\{model="net",status="(\d+)"\} ([\d.]+)', text))
    assert float(counts["200"]) >= 1 and float(counts["400"]) >= 1
    assert 'kayax_queued_requests{model="net"} 0.0' in text and "kayax_batch_rows_bucket" in text


def test_too_many_shapes(saved):
    running = Server(Session(saved[1]), max_batch=1, max_programs=2)
    try:
        assert [running.infer(question(n))[0] for n in (1, 2, 3, 2)] == [200, 200, 400, 200]
    finally:
        running.stop()


def test_requests_that_wait_are_put_together(saved, monkeypatch):
    session = Session(saved[1])
    running, sizes, real = Server(session, max_batch=8, max_queue=10), [], session.run
    gate, answers = threading.Event(), []

    def slow(given):
        sizes.append(given[0].shape[0])
        assert gate.wait(20)
        return real(given)

    monkeypatch.setattr(session, "run", slow)
    asked = [1, 3, 2, 1, 4, 1, 2]
    threads = []
    for n in asked:
        threads.append(threading.Thread(target=lambda n=n: answers.append((n, running.infer(question(n))))))
        threads[-1].start()
        while not sizes:                        # the first runs alone; the others wait for it
            time.sleep(0.01)
    while "kayax_queued_requests{model=\"net\"} 6.0" not in running.ask("/metrics")[2].decode():
        time.sleep(0.02)
    extra = [threading.Thread(target=lambda: answers.append((9, running.infer(question(9))))) for _ in range(6)]
    for thread in extra:                        # more rows than a batch has: alone; and more than may wait
        thread.start()
    while sum(n == 9 for n, _ in answers) < 2:
        time.sleep(0.02)
    gate.set()
    for thread in threads + extra:
        thread.join()
    running.stop()
    assert sorted(status for n, (status, *_) in answers if n == 9) == [200] * 4 + [503] * 2
    assert len(sizes) < len(asked) + 4 and max(sizes) >= 8
    for n, (status, _, answer) in answers:
        if n != 9:
            assert status == 200
            want = expected(saved[0], *arrays(n))
            np.testing.assert_allclose(np.reshape(answer["outputs"][0]["data"], (n, 3)), want[0], rtol=1e-5, atol=1e-6)


def test_models_whose_rows_depend_on_each_other_run_alone(tmp_path, caplog):
    for name, fn, why in (("softmax", lambda x: nn.functional.softmax(x, 0), "depends on the other rows"),
                          ("sum", lambda x: x.sum(), "one open first dim")):
        save(fn, str(tmp_path / name), input_spec=[InputSpec([None, 2], "float32", "x")], trainable=False)
        assert not batching.rows_are_independent(Session(str(tmp_path / name)))
        assert why in caplog.text


def test_the_command_serves_and_stops_gracefully(saved, tmp_path):
    command = [sys.executable, "-m", "kayax", "serve", saved[1], "--port", "0", "--name", "net", "--warm-up",
               '{"x": [2, 4], "ids": [2]}', "--cache", str(tmp_path / "cache")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = []
            for line in process.stderr:
                lines.append(line)
                found = re.search(r"running on http://127\.0\.0\.1:(\d+)", line)
                if found:
                    break
            connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=30)
            body = json.dumps(question(2)).encode()
            connection.request("POST", "/v2/models/net/infer", body)
            assert connection.getresponse().status == 200
            connection.close()
            process.send_signal(signal.SIGTERM)
            rest = process.stderr.read()
            assert process.wait(30) in (0, -signal.SIGTERM), rest
            assert "Finished server process" in rest and "Traceback" not in rest
        finally:
            process.kill()
    assert any("compiled for" in line for line in lines)


def test_bad_arguments(tmp_path, capsys, saved):
    from kayax.cli.main import main
    assert main(["serve", str(tmp_path / "none")]) == 2
    assert main(["serve", saved[1], "--method", "fly"]) == 2
    assert "has no method 'fly'" in capsys.readouterr().err
    assert main(["serve", saved[1], "--port", "0", "--warm-up", '{"z": [1]}']) == 2
    assert "needed for the inputs x, ids, but there are some for z" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["serve", saved[1], "--port", "0", "--cache", str(tmp_path / "file" / "cache")]) == 2
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["serve", saved[1], "--port", port]) == 2
        assert f"cannot listen on 127.0.0.1:{port}: Address already in use.\n" in capsys.readouterr().err
    for option, value in (("--port", "99999"), ("--max-batch", "0"), ("--warm-up", "x")):
        with pytest.raises(SystemExit):
            main(["serve", saved[1], option, value])
        assert f"{option}: {value!r} is no " in capsys.readouterr().err
