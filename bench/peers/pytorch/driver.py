# SPDX-License-Identifier: MIT
"""Training steps by PyTorch, in the memory format that is named on the command line: nchw or nhwc. Orders and answers: ../README.md."""
import json
import os
import resource
import sys
import time

START = time.perf_counter()  # importing PyTorch is part of its start

import numpy
import torch
from torch import nn
from torch.nn import functional

NOISE_BATCHES = 8
WINDOW_SECONDS = 0.05


def noise(count):
    """The numbers of bench/problem.ts: randomData(count, 1). Each pass doubles what there is: x -> a x + c, so many steps on."""
    a, c = 1664525, 1013904223
    values = numpy.array([(a + c) % 2**32], dtype=numpy.uint32)
    while len(values) < count:
        values = numpy.concatenate([values, values * numpy.uint32(a) + numpy.uint32(c)])
        a, c = a * a % 2**32, (a * c + c) % 2**32
    return torch.from_numpy((values[:count] / 2.0**31 - 1).astype(numpy.float32))


def conv(inputs, filters, size=3, stride=1, bias=False):
    return nn.Conv2d(inputs, filters, size, stride, padding=size // 2, bias=bias)


def norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def lenet(height, width, channels):
    features = height // 4 * (width // 4) * 64
    return nn.Sequential(
        conv(channels, 32, bias=True), nn.ReLU(), nn.MaxPool2d(2), conv(32, 64, 5, bias=True), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(features, 128), nn.ReLU(), nn.Linear(128, 10))


def vgg(_height, _width, channels):
    layers = []
    for filters in [64, 128, 256]:
        for inputs in [channels, filters]:
            layers += [conv(inputs, filters), norm(filters), nn.ReLU()]
        layers.append(nn.MaxPool2d(2) if filters < 256 else nn.AdaptiveAvgPool2d(1))
        channels = filters
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(256, 10))


class Block(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.residual = nn.Sequential(
            conv(inputs, filters, 3, stride), norm(filters), nn.ReLU(), conv(filters, filters), norm(filters))
        self.shortcut = nn.Sequential() if stride == 1 else nn.Sequential(conv(inputs, filters, 1, stride), norm(filters))

    def forward(self, x):
        return functional.relu(self.residual(x) + self.shortcut(x))


def resnet18(_height, _width, channels):
    layers = [conv(channels, 64), norm(64), nn.ReLU()]
    inputs = 64
    for filters in [64, 128, 256, 512]:
        layers += [Block(inputs, filters, 1 if filters == 64 else 2), Block(filters, filters, 1)]
        inputs = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


NETS = {"lenet": lenet, "vgg": vgg, "resnet18": resnet18}


def read_weights(file):
    """A file of safetensors that convlane wrote: names and arrays, in the order of the layers."""
    with open(file, "rb") as stream:
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        data = stream.read()
    header.pop("__metadata__", None)
    return {name: numpy.frombuffer(data[slice(*entry["data_offsets"])], dtype=numpy.float32).reshape(entry["shape"])
            for name, entry in header.items()}


def load(model, file):
    """Layers of a kind have the same order on both sides; channels come last there and first here, before flattening as well."""
    weights = read_weights(file)
    counts = {}

    def take(kind, name):
        number = counts.get(kind, 0)
        return torch.from_numpy(weights[f"{kind}_{number}/{name}" if number else f"{kind}/{name}"].copy())

    channels = 0
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, nn.Conv2d):
                kind, channels = "conv2d", layer.out_channels
                layer.weight.copy_(take(kind, "kernel").permute(3, 2, 0, 1))
            elif isinstance(layer, nn.BatchNorm2d):
                kind = "batchNorm"
                layer.weight.copy_(take(kind, "gamma"))
                layer.bias.copy_(take(kind, "beta"))
            elif isinstance(layer, nn.Linear):
                kind = "dense"
                kernel = take(kind, "kernel")
                if counts.get(kind, 0) == 0:
                    kernel = kernel.reshape(-1, channels, layer.out_features).permute(1, 0, 2).reshape(kernel.shape)
                layer.weight.copy_(kernel.t())
            else:
                continue
            if kind != "batchNorm" and layer.bias is not None:
                layer.bias.copy_(take(kind, "bias"))
            counts[kind] = counts.get(kind, 0) + 1


class Training:
    def __init__(self, words, fmt, start):
        name, batch, height, width, channels = words[0], *map(int, words[1:5])
        self.memory_format = torch.channels_last if fmt == "nhwc" else torch.contiguous_format
        self.model = NETS[name](height, width, channels).to(memory_format=self.memory_format)
        images = noise(batch * NOISE_BATCHES * height * width * channels).reshape(-1, height, width, channels).permute(0, 3, 1, 2)
        self.images = images.contiguous(memory_format=self.memory_format)
        self.labels = torch.arange(len(images)) % 10
        self.batch = batch
        self.at = 0
        self.begin(0.01)
        self.train(batch)
        self.startup = 1000 * (time.perf_counter() - start)
        load(self.model, words[5])
        self.begin(0.001)
        self.losses = [float(self.train(4, 0)), float(self.train(4, 0))]
        self.begin(0.01)

    def begin(self, rate):
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=rate, momentum=0.9)

    def train(self, count, at=None):
        if at is None:
            at, self.at = self.at, (self.at + count) % len(self.images)
        self.optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(self.model(self.images[at:at + count]), self.labels[at:at + count])
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def turn(self, seconds):
        """Mean time of a step, in windows of steps that take 50 ms together; as in ../../train-process.ts."""
        times, begin = [], time.perf_counter()
        while len(times) < 2 or time.perf_counter() - begin < seconds:
            steps, start = 0, time.perf_counter()
            while steps == 0 or time.perf_counter() - start < WINDOW_SECONDS:
                float(self.train(self.batch))
                steps += 1
            times.append(1000 * (time.perf_counter() - start) / steps)
        return times


def main(fmt, start):
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    training = None
    print(json.dumps({"version": f"PyTorch {torch.__version__}"}), flush=True)
    for line in sys.stdin:
        verb, *words = line.split()
        try:
            if verb == "open" and words[0] == "train":
                training = Training(words[1:], fmt, start)
                answer = {"contenders": [{"fmt": fmt, "algo": "default"}], "startup_ms": training.startup}
            elif verb == "sample":
                answer = {"values": training.losses}
            elif verb == "run":
                times = training.turn(float(words[1]) / 1000)
                answer = {"times": times, "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
            else:
                answer = {"error": f"unknown order: {line.strip()}"}
        except Exception as error:  # whatever it is, the bench is told
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main(sys.argv[1], START)
