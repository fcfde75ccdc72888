package dev.apus.core;

import dev.apus.core.Checkpoint.Language;
import dev.apus.core.chat.ChatTemplate;
import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.file.FormatException;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import dev.apus.core.generate.Sampling;
import dev.apus.core.hub.Hub;
import dev.apus.core.hub.HubModel;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Network;
import dev.apus.core.model.NoiseSchedule;
import dev.apus.core.model.SequenceState;
import dev.apus.core.tokenizer.Tokenizer;
import dev.apus.core.weight.ExpertStatistics;
import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.kernels.block.WeightFormat;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A language model with its weights. Immutable, so that any number of sessions on any threads may
 * share it; what is remembered of a text is in a {@link Session}.
 *
 * <p>Closing a model gives its memory back: sessions that compute fail at their next layer with a
 * {@link dev.apus.core.generate.GenerationException}, and nothing else happens to them; the last of
 * them lets the memory go.
 */
public final class Model implements AutoCloseable {

  private final Network network;
  private final Text text;
  private final GenerationSettings settings;
  private final TemplateSource chat;
  private final Weights weights;
  private final Kernels kernels;
  private final Lifetime lifetime;
  private final Config makersSettings;
  private final CacheFormat cache;
  private final PrefixCache prefixes;
  private final int grain;
  private volatile Fingerprint fingerprint;

  Model(
      Network network,
      Language language,
      Weights weights,
      ModelOptions options,
      Lifetime lifetime) {
    this.network = network;
    this.text = language.text();
    this.settings = language.generation();
    this.makersSettings = language.makersSettings();
    this.chat = language.chat();
    this.weights = weights;
    this.kernels = weights.kernels();
    this.lifetime = lifetime;
    this.cache = options.cache();
    this.prefixes = options.prefixes().bytes() == 0 ? null : new PrefixCache(options.prefixes());
    this.grain = network.grain();
  }

  /**
   * Opens a checkpoint: a folder in the Hugging Face layout, or a GGUF file.
   *
   * @throws dev.apus.core.file.FormatException if a file breaks the rules of its format
   * @throws ConfigException if the config asks for something that cannot be run
   * @throws dev.apus.core.weight.WeightException if the weights do not fit the config
   * @throws dev.apus.core.tokenizer.TokenizerException if the tokenizer cannot be read
   */
  public static Model load(Path path) {
    return load(path, ModelOptions.standard());
  }

  /**
   * Opens a checkpoint by its path, or by its name on a hub, as in {@code hf:Qwen/Qwen3-0.6B},
   * {@code hf:OWNER/NAME@REVISION} or {@code hf:OWNER/NAME:Q4_K_M}: it is {@linkplain Hub pulled}
   * first, as far as it is not in the cache, from where the environment says.
   *
   * @throws dev.apus.core.hub.HubException if it cannot be had from there
   */
  public static Model load(String place) {
    return load(place, ModelOptions.standard());
  }

  /** Opens a checkpoint, like {@link #load(String)}. */
  public static Model load(String place, ModelOptions options) {
    return load(
        HubModel.isReference(place) ? Hub.standard().pull(HubModel.parse(place)) : Path.of(place),
        options);
  }

  /** Opens a checkpoint, like {@link #load(Path)}. */
  public static Model load(Path path, ModelOptions options) {
    return load(ModelFiles.of(path), options);
  }

  /** Opens a checkpoint whose files lie somewhere else than in a folder. */
  public static Model load(ModelFiles files, ModelOptions options) {
    return Loading.load(files, options);
  }

  /**
   * What a checkpoint and its sessions will take; its matrices are not read.
   *
   * @throws dev.apus.core.weight.WeightException if the weights do not fit the config
   */
  public static MemoryEstimate estimate(ModelFiles files, ModelOptions options) {
    try (Outline outline = Outline.open(files, options)) {
      return outline.memory();
    }
  }

  /**
   * A model with weights drawn from a seed, for tests and benchmarks of any architecture.
   *
   * @param format of the matrices
   */
  public static Model random(
      Architecture architecture, long seed, WeightFormat format, ModelOptions options) {
    return Loading.assemble(
        architecture,
        new RandomWeights(seed, format),
        Later.known(
            new Language(
                Text.none("the weights are random"),
                new GenerationSettings(Set.of(), Sampling.plain()),
                null)),
        options,
        null);
  }

  /** What the model is made of. */
  public Architecture architecture() {
    return network.architecture();
  }

  /**
   * How noise grows with time, where this is a diffusion model.
   *
   * @throws IllegalStateException if it is none
   */
  public NoiseSchedule noiseSchedule() {
    if (architecture().diffusion() == null) {
      throw new IllegalStateException(
          architecture().family() + " has no noise: it is no diffusion model");
    }
    return network.noiseSchedule();
  }

  /**
   * Text to tokens and back.
   *
   * @throws IllegalStateException if the checkpoint has none, or one of a kind that cannot be read
   */
  public Tokenizer tokenizer() {
    return text.required();
  }

  Text text() {
    return text;
  }

  /**
   * How the makers of the model write conversations down, if they say so.
   *
   * @throws dev.apus.core.template.TemplateException if their template cannot be read
   */
  public Optional<ChatTemplate> chatTemplate() {
    return chat == null
        ? Optional.empty()
        : Optional.of(ChatTemplate.of(chat.name(), chat.source(), tokenizer()));
  }

  /** How the makers of the model sample from it, as far as its files say. */
  public Sampling sampling() {
    return settings.sampling();
  }

  /**
   * What the makers of the model say about generating in {@code generation_config.json}, for those
   * who generate in other ways than by {@link #sampling}; empty if there is no such file.
   */
  public Config makersSettings() {
    return makersSettings;
  }

  /** The tokens that end a text. */
  public Set<Integer> endTokens() {
    return settings.endTokens();
  }

  /**
   * Ids of the model's vocabulary that no text is given: those that name no token, and those of
   * tokens that the vocabulary calls unused.
   */
  public Set<Integer> unusedTokens() {
    return settings.unusedTokens();
  }

  GenerationSettings settings() {
    return settings;
  }

  /** How many weights the model has. */
  public long parameters() {
    return weights.parameters();
  }

  /** The checkpoint's tensors as its files hold them; none if the weights were drawn at random. */
  public List<StoredTensor> storedTensors() {
    TensorFile file = lifetime.file();
    return file == null ? List.of() : List.copyOf(file.tensors().values());
  }

  /** Memory that the weights take. */
  public long weightBytes() {
    return weights.bytes();
  }

  /** How well the experts fit the memory they were given, if it was limited. */
  public Optional<ExpertStatistics> expertStatistics() {
    return weights.expertStatistics();
  }

  /**
   * Bytes that a session's state grows by with each token; 0 if its size is constant or bounded.
   * Layers that see no further than a window take {@link #windowBytes} instead.
   */
  public long stateBytesPerToken() {
    return network.stateBytesPerToken();
  }

  /**
   * Bytes that a session takes at most, between passes, for tokens that later ones take the place
   * of: keys and values of layers with windows, and those that have not settled.
   */
  public long windowBytes() {
    return network.windowBytes();
  }

  /** How many threads compute. */
  public int threads() {
    return lifetime.workers().threads();
  }

  /** A session that may become as long as the model was made for. */
  public Session newSession() {
    return newSession(architecture().context());
  }

  /**
   * A session of at most {@code limit} tokens.
   *
   * <p>Where the rotary positions of a model depend on how long a text may become (LongRoPE,
   * dynamic scaling), they go by this limit: a session that needs no more than the original context
   * should say so.
   *
   * @throws IllegalArgumentException if the limit is below 1, or past the learned positions, or the
   *     model is an {@linkplain #newEncoder encoder}
   * @throws IllegalStateException if the model is closed
   */
  public Session newSession(int limit) {
    return new Session(new Sequence(this, newState(limit)));
  }

  /**
   * What reads whole texts with this model.
   *
   * @throws IllegalStateException if its tokens see only what came before them, or it is closed
   */
  public Encoder newEncoder() {
    lifetime.requireOpen();
    return new Encoder(this);
  }

  SequenceState newState(int limit) {
    Sequence.requirePossible(architecture(), limit);
    lifetime.requireOpen();
    return network.newState(limit);
  }

  /**
   * Goes on where a session was {@linkplain Session#save(Path) saved}, with its limit and the same
   * bits. A model is told by its architecture, its caches' format and its weights: on the way in
   * and out, a few tokens are computed once to compare these.
   *
   * @throws FormatException if the file is damaged in any way, of another version, or was saved by
   *     another model; nothing is left behind
   */
  public Session restore(Path file) {
    lifetime.requireOpen();
    return SessionFile.read(this, file, 0);
  }

  /**
   * Goes on like {@link #restore(Path)}, with room for another number of tokens.
   *
   * @throws FormatException also if the limit is too small, or one by which the rotary positions of
   *     the model are others
   */
  public Session restore(Path file, int limit) {
    newState(limit).close();
    return SessionFile.read(this, file, limit);
  }

  /**
   * Goes on like {@link #restore(Path)} from what a stream holds next; what follows stays in it.
   *
   * @param name what messages call the stream
   */
  public Session restore(InputStream in, String name) {
    lifetime.requireOpen();
    return SessionFile.read(this, in, name, 0, false);
  }

  Session restored(SequenceState state, SessionFile.Head head) {
    return new Session(new Sequence(this, state, head));
  }

  /**
   * Computes the logits of several sessions together, so that the weights are read once for all of
   * them. Each session gets the same bits as alone.
   *
   * @throws IllegalArgumentException if a session is of another model or is there twice
   */
  public void compute(List<Session> sessions) {
    Computation.logits(this, sessions, () -> false);
  }

  /** What sessions start from, if {@link ModelOptions#withPrefixReuse} asked for it. */
  public Optional<PrefixCache> prefixCache() {
    return Optional.ofNullable(prefixes);
  }

  /** For a session of its own; null if nothing is reused. */
  PrefixUse newPrefixUse(int limit) {
    return prefixes == null ? null : new PrefixUse(prefixes, network.variant(limit), grain);
  }

  Fingerprint fingerprint() {
    if (fingerprint == null) {
      fingerprint = Fingerprint.of(this);
    }
    return fingerprint;
  }

  CacheFormat cache() {
    return cache;
  }

  int grain() {
    return grain;
  }

  Network network() {
    return network;
  }

  Pass newPass() {
    return new Pass(lifetime.workers(), kernels);
  }

  Lifetime lifetime() {
    return lifetime;
  }

  /** Closes the model; returns at once. */
  @Override
  public void close() {
    lifetime.close();
    if (prefixes != null) {
      prefixes.close();
    }
  }
}
