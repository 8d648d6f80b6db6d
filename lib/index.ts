/**
 * Layers, models, training, data. The ops that they are made of are in `convlane/ops`.
 * @module convlane
 */
export {
  type AffineOptions,
  type AffineTransformation,
  affine,
  type Border,
  type BorderOptions,
  brightness,
  type ChanceOptions,
  type ColourOptions,
  type ColourTransformation,
  type CropOptions,
  type CutoutOptions,
  type CutoutTransformation,
  contrast,
  crop,
  cutout,
  type Fill,
  type FlipOptions,
  type FlipTransformation,
  flip,
  type ImageTransformation,
  type MixupOptions,
  type MixupTransformation,
  mixup,
  type RandomOrderTransformation,
  type Range,
  type RotateOptions,
  randomOrder,
  rotate,
  type ShiftTransformation,
  saturation,
  scale,
  shear,
  shift,
  type Transformation,
} from './augment/transformations'
export { type ExportOnnxOptions, exportOnnx } from './convert/onnx/export'
export { type ImportOnnxOptions, importOnnx } from './convert/onnx/import'
export { exportPytorch, type PytorchExportOptions } from './convert/pytorch/exportPytorch'
export { importPytorch, type PytorchImportOptions } from './convert/pytorch/importPytorch'
export type { PytorchNames, PytorchOptions } from './convert/pytorch/names'
export { exportTfjs } from './convert/tfjs/exportTfjs'
export { importTfjs, type TfjsImportOptions } from './convert/tfjs/importTfjs'
export { Dashboard, type DashboardOptions, dashboard } from './dashboard/dashboard'
export { type BatchedOptions, type Batches, batched, type Sample, type SampleArray, type SampleSource } from './data/batched'
export { type ChannelStatistics, channelStatistics } from './data/channels'
export { cifar10 } from './data/cifar'
export { type CsvStreamOptions, readCsv, streamCsv } from './data/csv'
export type { CsvColumn, CsvOptions } from './data/csvRows'
export { type Dataset, type DatasetParts, dataset, type Normalize, type Samples, sliceDataset, type TrainTest } from './data/dataset'
export { digits } from './data/digits'
export { fromFolder } from './data/folder'
export { type IdxArray, readIdx } from './data/idx'
export { type ImageDataset, type ImageFolder, imageDataset, imageFolder, type LeftOut } from './data/imageFolder'
export type { BrokenImage, ImageDatasetOptions, ImageFolderOptions } from './data/imageReader'
export { type ImageStream, type ImageStreamFolder, type ImageStreamOptions, streamImageFolder } from './data/imageStream'
export { type MnistOptions, mnist } from './data/mnist'
export { type NpyOptions, type NpzOptions, type NumpyArray, readNpy, readNpz } from './data/npy'
export { type ImageOptions, type ReadImageOptions, readImage } from './data/readImage'
export { ConvlaneError, type ErrorCode } from './errors'
export type { Dtype, SymbolicShape, TensorType, Value } from './graph/value'
export { encodePng, type Picture, writePng } from './io/png'
export { readSafetensors, type TensorFile, writeSafetensors } from './io/safetensors'
export { weightsSha256 } from './io/weights-hash'
export {
  type ActivationOptions,
  type EluLayerOptions,
  elu,
  type GeluLayerOptions,
  gelu,
  hardSigmoid,
  hardSwish,
  type LeakyReluLayerOptions,
  type LinearThresholdLayerOptions,
  leakyRelu,
  linear,
  linearThreshold,
  logSoftmax,
  mish,
  relu,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  tanh,
} from './layers/activation'
export { type BatchNormLayerOptions, batchNorm } from './layers/batchNorm'
export {
  type Border1d,
  type Border2d,
  type Border3d,
  crop1d,
  crop2d,
  crop3d,
  zeroPad1d,
  zeroPad2d,
  zeroPad3d,
} from './layers/border'
export { type Conv1dLayerOptions, conv1d } from './layers/conv1d'
export { type Conv2dLayerOptions, conv2d } from './layers/conv2d'
export { type Conv3dLayerOptions, conv3d } from './layers/conv3d'
export type { ConvolutionLayerOptions } from './layers/convolution'
export { type ConvTranspose1dLayerOptions, convTranspose1d } from './layers/convTranspose1d'
export { type ConvTranspose2dLayerOptions, convTranspose2d } from './layers/convTranspose2d'
export { type ConvTranspose3dLayerOptions, convTranspose3d } from './layers/convTranspose3d'
export { type DenseLayerOptions, dense } from './layers/dense'
export {
  type DepthwiseConv1dLayerOptions,
  depthwiseConv1d,
  type SeparableConv1dLayerOptions,
  separableConv1d,
} from './layers/depthwiseConv1d'
export {
  type DepthwiseConv2dLayerOptions,
  depthwiseConv2d,
  type SeparableConv2dLayerOptions,
  separableConv2d,
} from './layers/depthwiseConv2d'
export { dropout, spatialDropout } from './layers/dropout'
export { flatten } from './layers/flatten'
export { groupNorm, instanceNorm } from './layers/groupNorm'
export { type IdentityShortcutOptions, identityShortcut } from './layers/identityShortcut'
export type {
  Initializer,
  InitializerFunction,
  InitializerName,
  InitializerOptions,
  InitializerRandom,
} from './layers/initializers'
export { type BuildContext, Layer, type LayerConfig, type Parameter } from './layers/layer'
export { type LayerNormLayerOptions, layerNorm } from './layers/layerNorm'
export { maxout } from './layers/maxout'
export { add, concat, multiply } from './layers/merge'
export { type InputOptions, input, Node } from './layers/node'
export type { NormOptions } from './layers/norm'
export { type NormalizeLayerOptions, normalize, type RescaleLayerOptions, rescale } from './layers/normalize'
export {
  type AveragePool1dLayerOptions,
  adaptiveAveragePool1d,
  averagePool1d,
  globalAveragePool1d,
  globalMaxPool1d,
  type LpPool1dLayerOptions,
  lpPool1d,
  maxPool1d,
  type Pool1dLayerOptions,
} from './layers/pool1d'
export {
  type AveragePool2dLayerOptions,
  adaptiveAveragePool2d,
  averagePool2d,
  globalAveragePool2d,
  globalMaxPool2d,
  type LpPool2dLayerOptions,
  lpPool2d,
  maxPool2d,
  type Pool2dLayerOptions,
} from './layers/pool2d'
export {
  type AveragePool3dLayerOptions,
  adaptiveAveragePool3d,
  averagePool3d,
  globalAveragePool3d,
  globalMaxPool3d,
  type LpPool3dLayerOptions,
  lpPool3d,
  maxPool3d,
  type Pool3dLayerOptions,
} from './layers/pool3d'
export { type PreluLayerOptions, prelu } from './layers/prelu'
export type { Alike, Rank } from './layers/rank'
export { type LayerMaker, registerLayer } from './layers/registry'
export type { Regularizer } from './layers/regularizers'
export { permute, reshape } from './layers/reshape'
export { type RmsNormLayerOptions, rmsNorm } from './layers/rmsNorm'
export { type RnnLayerOptions, rnn } from './layers/rnn'
export {
  type ResizeLayerOptions,
  resize1d,
  resize2d,
  resize3d,
  type UpsampleLayerOptions,
  upsample1d,
  upsample2d,
  upsample3d,
} from './layers/upsample'
export type { KernelOptions, TrainingOptions, WeightOptions } from './layers/weights'
export { isa, isaAvailable, setThreads, threads } from './machine'
export type { AutotuneOptions } from './model/autotune'
export { loadModel } from './model/load'
export { Model, type ModelOptions, type ProfileOptions, type RankedTensor, type SharedModel } from './model/model'
export { type NetworkOptions, network } from './model/network'
export type { Profile, ProfileLimits, ProfileRow } from './model/profile'
export { type ReplaceHeadOptions, replaceHead } from './model/replaceHead'
export { type SequentialOptions, sequential } from './model/sequential'
export { sharedModel } from './model/shared'
export type { LayerSummary, Summary, SummaryMemory } from './model/summary'
export type { Activation } from './ops/activation'
export type { Constraint, Incoming } from './ops/constrain'
export type { ConvolutionAlgorithm } from './ops/convolution'
export { type FeatureMaps, type FeatureMapsOptions, featureMaps } from './report/featureMaps'
export { type Filters, filters } from './report/filters'
export { type FilterGridOptions, filterGrid, type Grid, type MapGridOptions, mapGrid } from './report/grids'
export { type Histogram, type HistogramOptions, histogram, weightHistograms } from './report/histograms'
export { type ReportOptions, report } from './report/report'
export { samplePicture } from './report/samplePicture'
export { type StepLog, type StepPoint, stepLog } from './report/stepLog'
export {
  type Classification,
  type ClassifyOptions,
  createPredictor,
  Predictor,
  type PredictorOptions,
  type RequestOptions,
} from './serve/predictor'
export type { PredictorStatistics } from './serve/requestQueue'
export type { Padding, Padding1d, Padding3d, PaddingPair, Pair, Triple } from './shape'
export { type Labels, type Tensor, tensor } from './tensor'
export { EventWriter, type EventWriterOptions, eventWriter } from './tensorboard/eventWriter'
export { type TensorBoardOptions, tensorBoard } from './tensorboard/tensorBoard'
export type { Augment } from './train/augmentation'
export type { CheckpointOptions } from './train/checkpoint'
export {
  type Average,
  type ClassDetails,
  type ClassReport,
  type ClassResult,
  type ClassShares,
  classReport,
  topKAccuracy,
} from './train/classification'
export type { Data, EpochData, PerEnd, SampleWeights, XY } from './train/data'
export type { EarlyStoppingOptions } from './train/earlyStopping'
export type { EmaOptions } from './train/ema'
export type { Callback, Details, EpochEvent, History, Results, StepEvent, TrainStart } from './train/events'
export type { ParameterGroup } from './train/groups'
export { type Loss, type LossName, NamedLoss } from './train/losses'
export { focal, huber, type LossOptions, sigmoidCrossEntropy, softmaxCrossEntropy } from './train/lossMakers'
export type { Match, WeightFacts } from './train/match'
export {
  type BinaryAccuracyOptions,
  binaryAccuracy,
  type ClassMetricOptions,
  f1,
  type Metric,
  type MetricName,
  NamedMetric,
  precision,
  recall,
  topK,
} from './train/metrics'
export type { MonitorOptions } from './train/monitor'
export type { AnyMetric, CompileOptions, PerOutput } from './train/objective'
export {
  type AdagradOptions,
  type AdamOptions,
  adagrad,
  adam,
  adamw,
  type Clip,
  type Optimizer,
  type RmspropOptions,
  rmsprop,
  type Schedule,
  type SgdOptions,
  sgd,
} from './train/optimizers'
export type { BatchOptions, ClassWeight, EvaluateOptions, FitOptions, WeightsOptions } from './train/options'
export {
  type CosineOptions,
  cosineDecay,
  exponentialDecay,
  type OneCycleOptions,
  oneCycle,
  type PlateauOptions,
  type PolynomialOptions,
  polynomialDecay,
  reduceOnPlateau,
  stepDecay,
  type WatchingSchedule,
  warmUp,
} from './train/schedules'
export { type TensorStatistics, tensorStatistics } from './train/statistics'
export type { FitEvent } from './train/stream'
export type { ImageShape, ZooOptions } from './zoo/image'
export { type LenetOptions, lenet } from './zoo/lenet'
export { type MlpOptions, mlp } from './zoo/mlp'
export { type MobilenetV2SmallOptions, mobilenetV2Small } from './zoo/mobilenetV2Small'
export { type NielsenOptions, nielsen } from './zoo/nielsen'
export { type Resnet18Options, resnet18 } from './zoo/resnet18'
export { type Resnet20Options, resnet20 } from './zoo/resnet20'
export { type VggOptions, vgg } from './zoo/vgg'
