"""Writes ONNX files as other tools make them into a folder, and prints one line of JSON for each: {"file": …} or {"name": …, "skipped": …}."""
import json
import os
import sys

folder = sys.argv[1]


def tell(**facts):
    print(json.dumps(facts), flush=True)


def torch_models():
    import torch
    import torch.nn as nn
    import torch.nn.functional as F

    torch.manual_seed(7)

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            down = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
            self.downsample = down if stride > 1 or inputs != outputs else None

        def forward(self, x):
            y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
            return F.relu(y + (x if self.downsample is None else self.downsample(x)))

    class ResNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(3, 8, 7, 2, 3, bias=False)
            self.bn1 = nn.BatchNorm2d(8)
            self.maxpool = nn.MaxPool2d(3, 2, 1)
            self.layer1 = nn.Sequential(Block(8, 8, 1), Block(8, 8, 1))
            self.layer2 = nn.Sequential(Block(8, 16, 2), Block(16, 16, 1))
            self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
            self.fc = nn.Linear(16, 10)

        def forward(self, x):
            x = self.layer2(self.layer1(self.maxpool(F.relu(self.bn1(self.conv1(x))))))
            return self.fc(torch.flatten(self.avgpool(x), 1))

    class Excite(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.fc1 = nn.Conv2d(channels, 4, 1)
            self.fc2 = nn.Conv2d(4, channels, 1)

        def forward(self, x):
            return x * F.hardsigmoid(self.fc2(F.relu(self.fc1(F.adaptive_avg_pool2d(x, 1)))))

    class MobileNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(
                nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish(),
                nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.BatchNorm2d(8), nn.ReLU6(), Excite(8),
                nn.Conv2d(8, 12, 1), nn.SiLU())
            self.classifier = nn.Sequential(nn.Linear(12, 16), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(16, 5))

        def forward(self, x):
            return self.classifier(self.features(x).mean([2, 3]))

    class View(nn.Module):
        """LeNet's way: x.view(x.size(0), -1) before the dense layers."""

        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 6, 5)
            self.bn = nn.BatchNorm1d(6 * 6 * 5)
            self.fc1 = nn.Linear(6 * 6 * 5, 20)
            self.fc2 = nn.Linear(20, 4)

        def forward(self, x):
            x = F.max_pool2d(torch.tanh(self.conv(x)), 2)
            x = F.relu(self.bn(x.view(x.size(0), -1)))
            return F.log_softmax(self.fc2(F.elu(self.fc1(x))), dim=1)

    class Shuffle(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(4, 8, 1, groups=2)
            self.conv2 = nn.Conv2d(4, 6, 3, padding=1)

        def forward(self, x):
            x = self.conv1(x)
            n, c, h, w = x.shape
            x = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
            a, b = x.chunk(2, dim=1)
            return torch.cat([a, self.conv2(b)], 1)

    class UNet(nn.Module):
        def __init__(self, mode):
            super().__init__()
            self.mode = mode
            self.down = nn.Conv2d(2, 4, 3, padding=1)
            self.middle = nn.Conv2d(4, 6, 3, padding=1)
            self.up = nn.ConvTranspose2d(6, 4, 2, 2)
            self.last = nn.Conv2d(14, 3, 1)

        def forward(self, x):
            a = F.leaky_relu(self.down(x), 0.1)
            b = F.gelu(self.middle(F.avg_pool2d(a, 2)))
            c = F.interpolate(b, scale_factor=2, mode=self.mode)
            return torch.sigmoid(self.last(torch.cat([a, self.up(b), c], 1)))

    class Sizes(nn.Module):
        def forward(self, x):
            y = F.interpolate(x[:, :, ::2, 4:7], size=x.shape[2:], mode="nearest")
            return torch.cat([y, x[:, :1] * 0.5 - x[:, 1:2]], 1) / 3

    class Norms(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Conv2d(2, 6, 3), nn.GroupNorm(3, 6), nn.PReLU(6), nn.InstanceNorm2d(6, affine=True), nn.Mish(),
                nn.AvgPool2d(3, 2, 1), nn.Softplus(), nn.ZeroPad2d((1, 0, 2, 1)), nn.PReLU())

        def forward(self, x):
            return self.layers(x)

    class Attention(nn.Module):
        """One number for each pixel, and one for each channel."""

        def __init__(self):
            super().__init__()
            self.pixel = nn.Conv2d(2, 1, 3, padding=1)
            self.fc = nn.Linear(5, 5)

        def forward(self, x):
            channel = torch.sigmoid(self.fc(x.mean((2, 3))))[:, :, None, None]
            x = x * channel
            pooled = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
            return x * torch.sigmoid(self.pixel(pooled))

    class ConvNext(nn.Module):
        def __init__(self):
            super().__init__()
            self.depthwise = nn.Conv2d(6, 6, 7, padding=3, groups=6)
            self.norm = nn.LayerNorm(6, eps=1e-6)
            self.pw1 = nn.Linear(6, 12)
            self.pw2 = nn.Linear(12, 6)

        def forward(self, x):
            y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
            return x + self.pw2(F.gelu(self.pw1(y))).permute(0, 3, 1, 2)

    class Sequence(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(3, 6, 3, padding=2, dilation=2)
            self.rnn = nn.RNN(6, 5, batch_first=True)
            self.fc = nn.Linear(5, 2)

        def forward(self, x):
            x = F.max_pool1d(F.selu(self.conv(x)), 2).transpose(1, 2)
            return self.fc(self.rnn(x)[0][:, -1])

    class Volume(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Conv3d(2, 4, 3, padding=1), nn.BatchNorm3d(4), nn.ReLU(), nn.MaxPool3d(2, ceil_mode=True),
                nn.ConvTranspose3d(4, 3, 2, 2), nn.Flatten(), nn.Linear(3 * 6 * 6 * 4, 3), nn.Softmax(1))

        def forward(self, x):
            return self.layers(x)

    models = {
        "resnet": (ResNet(), [2, 3, 32, 40], range(9, 18)),
        "mobilenet": (MobileNet(), [2, 3, 16, 18], (9, 11, 13, 14, 17)),
        "view": (View(), [2, 1, 16, 14], (9, 11, 13, 17)),
        "shuffle": (Shuffle(), [2, 4, 5, 6], (9, 11, 13, 17)),
        "unet-nearest": (UNet("nearest"), [2, 2, 8, 12], (9, 11, 13, 17)),
        "unet-bilinear": (UNet("bilinear"), [2, 2, 8, 12], (11, 13, 17)),
        "sizes": (Sizes(), [2, 3, 8, 9], (11, 13, 17)),
        "norms": (Norms(), [2, 2, 9, 8], (11, 13, 17)),
        "attention": (Attention(), [2, 5, 6, 4], (11, 13, 17)),
        "convnext": (ConvNext(), [2, 6, 8, 8], (17,)),
        "sequence": (Sequence(), [2, 3, 12], (11, 17)),
        "volume": (Volume(), [2, 2, 6, 5, 4], (9, 13, 17)),
    }
    for name, (model, shape, opsets) in models.items():
        model.train()
        with torch.no_grad():
            for _ in range(3):
                model(torch.randn(*shape) * 2 + 0.5)
        model.eval()
        for opset in opsets:
            for is_open in (False, True):
                file = os.path.join(folder, f"{name}-{opset}{'-open' if is_open else ''}.onnx")
                axes = {"x": {0: "batch"}, "y": {0: "batch"}} if is_open else None
                try:
                    torch.onnx.export(model, torch.randn(*shape), file, input_names=["x"], output_names=["y"], opset_version=opset, dynamic_axes=axes)
                    tell(file=file, inputs=[shape])
                except Exception as error:
                    tell(name=os.path.basename(file), skipped=str(error).split("\n")[0])


try:
    import warnings
    warnings.filterwarnings("ignore")
    torch_models()
except ImportError as error:
    tell(name="files of PyTorch", skipped=str(error))
