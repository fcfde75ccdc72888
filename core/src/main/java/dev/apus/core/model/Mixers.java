package dev.apus.core.model;

import dev.apus.core.model.Architecture.Role;
import dev.apus.core.service.Services;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The parts that architectures may name. */
public final class Mixers {

  /** Where the sequence mixers of Apus are: people who embed the core alone have to add these. */
  private static final Map<String, Set<String>> MIXER_ARTIFACTS =
      Map.of(
          "apus-attention",
          Set.of(
              "attention",
              "compressed-attention",
              "convolutional-attention",
              "fourier",
              "gated-delta-net",
              "gated-recurrence",
              "global-attention",
              "latent-attention",
              "linear-attention",
              "linearized-attention",
              "linformer-attention",
              "lsh-attention",
              "routing-attention",
              "memory-as-context",
              "mesa-net",
              "mixture-of-attention-heads",
              "mixture-of-memories",
              "mlstm",
              "mlstm-block",
              "native-sparse-attention",
              "neural-memory",
              "nystrom-attention",
              "path-attention",
              "rg-lru",
              "rwkv-channel-mix",
              "rwkv-time-mix",
              "rwkv4-time-mix",
              "rwkv7-time-mix",
              "shifted-linear",
              "slot-attention",
              "slstm",
              "ttt"),
          "apus-moe",
          Set.of("expert-choice", "soft-moe"),
          "apus-ssm",
          Set.of(
              "convolution",
              "gated-convolution",
              "h3",
              "hyena",
              "mamba",
              "mamba2",
              "mamba3",
              "s4",
              "s5"));

  /** Where the channel mixers of Apus are that the core is without. */
  private static final Map<String, Set<String>> CHANNEL_ARTIFACTS =
      Map.of("apus-moe", Set.of("moe", "product-keys"));

  private final Map<String, MixerType> mixers = new TreeMap<>();
  private final Map<String, ChannelType> channels = new TreeMap<>();

  private Mixers(
      Collection<? extends MixerType> mixers, Collection<? extends ChannelType> channels) {
    mixers.forEach(type -> add(this.mixers, type.name(), type));
    channels.forEach(type -> add(this.channels, type.name(), type));
  }

  private static <T> void add(Map<String, T> types, String name, T type) {
    T other = types.putIfAbsent(name, type);
    if (other != null) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "two parts are called \"%s\": %s and %s",
              name,
              other.getClass().getName(),
              type.getClass().getName()));
    }
  }

  /** Every part that a module on the path provides. */
  public static Mixers installed() {
    return of(Services.of(MixerType.class), Services.of(ChannelType.class));
  }

  public static Mixers of(
      Collection<? extends MixerType> mixers, Collection<? extends ChannelType> channels) {
    List<ChannelType> all =
        new ArrayList<>(
            List.of(
                new Mlp.Gated(),
                new Mlp.Plain(),
                new Identity.Type(),
                new Linear.Type(),
                new Lookup.Type(),
                new Product.Type()));
    all.addAll(channels);
    return new Mixers(mixers, all);
  }

  MixerType mixer(String name) {
    return mixers.get(name);
  }

  ChannelType channel(String name) {
    return channels.get(name);
  }

  /** For messages. */
  String names() {
    return String.join(
        ", ", Stream.concat(mixers.keySet().stream(), channels.keySet().stream()).toList());
  }

  /** For messages: what brings a part that is not installed. */
  static String provider(Role role, String name) {
    return (role == Role.MIXER ? MIXER_ARTIFACTS : CHANNEL_ARTIFACTS)
        .entrySet().stream()
            .filter(artifact -> artifact.getValue().contains(name))
            .map(artifact -> "the artifact dev.apus:" + artifact.getKey() + ", which provides it")
            .findFirst()
            .orElse("the module that provides it");
  }
}
