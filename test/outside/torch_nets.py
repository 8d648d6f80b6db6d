"""Networks of PyTorch beside which convlane is tested: `torch_nets.py make DIR` writes weights, inputs and results of each; `check DIR` loads what came back."""
import json
import struct
import sys

import numpy as np
import torch
from torch import nn


class BasicBlock(nn.Module):
    """As in torchvision: names of resnet18's weights."""

    def __init__(self, before, planes, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        if stride != 1 or before != planes:
            self.downsample = nn.Sequential(nn.Conv2d(before, planes, 1, stride, bias=False), nn.BatchNorm2d(planes))

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (self.downsample(x) if hasattr(self, 'downsample') else x))


class ResNet18(nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        before = width
        for index in range(4):
            planes = width << index
            blocks = [BasicBlock(before, planes, 1 if index == 0 else 2), BasicBlock(planes, planes, 1)]
            setattr(self, f'layer{index + 1}', nn.Sequential(*blocks))
            before = planes
        self.fc = nn.Linear(before, classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        for index in range(4):
            x = getattr(self, f'layer{index + 1}')(x)
        return self.fc(x.mean((2, 3)))


class Images(nn.Module):
    def __init__(self):
        super().__init__()
        self.grouped = nn.Conv2d(4, 6, (3, 2), groups=2)
        self.depthwise = nn.Conv2d(6, 12, 2, groups=6)
        self.up = nn.ConvTranspose2d(12, 6, 3, stride=2, padding=1, output_padding=1, groups=2)
        self.group = nn.GroupNorm(2, 6)
        self.instance = nn.InstanceNorm2d(6, affine=True)
        self.slopes = nn.PReLU(6)
        self.slope = nn.PReLU()
        self.whole = nn.LayerNorm([6, 8, 10])
        self.bn = nn.BatchNorm1d(6 * 8 * 10)
        self.layer = nn.LayerNorm(6 * 8 * 10)
        self.fc = nn.Linear(6 * 8 * 10, 5)

    def forward(self, x):
        x = self.up(self.depthwise(self.grouped(x)))
        x = self.whole(self.slope(self.slopes(self.instance(self.group(x)))))
        return self.fc(self.layer(self.bn(x.flatten(1))))


class Sequences(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 4, 3, padding=1)
        self.up = nn.ConvTranspose1d(4, 5, 2, stride=2)
        self.rnn = nn.RNN(5, 6, batch_first=True)
        self.norm = nn.LayerNorm([14, 6])
        self.fc = nn.Linear(14 * 6, 3)

    def forward(self, x):
        steps, _ = self.rnn(self.up(self.conv(x)).transpose(1, 2))
        return self.fc(self.norm(steps).flatten(1))


class Volumes(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv3d(2, 3, 2)
        self.up = nn.ConvTranspose3d(3, 2, (2, 1, 2), stride=2)
        self.fc = nn.Linear(2 * 4 * 5 * 8, 3)

    def forward(self, x):
        return self.fc(self.up(self.conv(x)).flatten(1))


nets = {
    'resnet18': (lambda: ResNet18(8, 10), [2, 3, 64, 48]),
    'images': (Images, [3, 4, 7, 7]),
    'sequences': (Sequences, [2, 3, 7]),
    'volumes': (Volumes, [2, 2, 3, 4, 5]),
}
types = {torch.float32: 'F32', torch.float16: 'F16', torch.bfloat16: 'BF16', torch.int64: 'I64'}


def save(tensors, file):
    """https://github.com/huggingface/safetensors#format, for machines that have PyTorch alone."""
    header, data = {}, b''
    for name, tensor in tensors.items():
        tensor = tensor.detach().contiguous()
        view = tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor
        content = view.numpy().tobytes()
        header[name] = {'dtype': types[tensor.dtype], 'shape': list(tensor.shape), 'data_offsets': [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    with open(file, 'wb') as out:
        out.write(struct.pack('<Q', len(text)) + text + data)


def load(file):
    with open(file, 'rb') as source:
        content = source.read()
    (length,) = struct.unpack('<Q', content[:8])
    header = json.loads(content[8:8 + length])
    header.pop('__metadata__', None)
    parts = {}
    for name, entry in header.items():
        begin, end = (8 + length + at for at in entry['data_offsets'])
        kind = np.int64 if entry['dtype'] == 'I64' else np.float32
        parts[name] = torch.from_numpy(np.frombuffer(content[begin:end], kind).reshape(entry['shape']).copy())
    return parts


def make(folder):
    torch.manual_seed(7)
    for name, (build, shape) in nets.items():
        net = build().eval()
        with torch.no_grad():
            for key, value in net.state_dict().items():
                if key.endswith('running_var'):
                    value.uniform_(0.5, 1.5)
                elif value.dtype == torch.float32 and value.dim() == 1:
                    value.add_(torch.randn_like(value) * 0.3)
            x = torch.randn(shape)
            save(net.state_dict(), f'{folder}/{name}.safetensors')
            # Channels last, as images are taken here.
            save({'x': x.movedim(1, -1), 'y': net(x)}, f'{folder}/{name}.case')
    every = torch.from_numpy(np.arange(65536, dtype=np.uint16).view(np.int16).copy())
    half, brain = every.view(torch.float16), every.view(torch.bfloat16)
    save({'half': half, 'brain': brain}, f'{folder}/short')
    save({'half': half.float(), 'brain': brain.float()}, f'{folder}/wide')


def check(folder):
    for name, (build, _) in nets.items():
        theirs, came = load(f'{folder}/{name}.safetensors'), load(f'{folder}/{name}.back')
        net = build()
        net.load_state_dict(came, strict=True)
        for key, value in net.state_dict().items():
            if key == 'rnn.bias_ih_l0':
                value = value - theirs['rnn.bias_hh_l0']
                assert torch.allclose(value, theirs[key], atol=1e-6), f'{name}: {key}'
            elif key != 'rnn.bias_hh_l0' and not key.endswith('num_batches_tracked'):
                assert torch.equal(value, theirs[key]), f'{name}: {key}'
    print('the same')


{'make': make, 'check': check}[sys.argv[1]](sys.argv[2])
