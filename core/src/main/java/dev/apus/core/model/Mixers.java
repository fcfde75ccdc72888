package dev.apus.core.model;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The parts that architectures may name. */
public final class Mixers {

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
    return of(services(MixerType.class), services(ChannelType.class));
  }

  public static Mixers of(
      Collection<? extends MixerType> mixers, Collection<? extends ChannelType> channels) {
    List<ChannelType> all = new ArrayList<>(List.of(new Mlp.Gated(), new Mlp.Plain()));
    all.addAll(channels);
    return new Mixers(mixers, all);
  }

  private static <T> List<T> services(Class<T> type) {
    return ServiceLoader.load(type, Mixers.class.getClassLoader()).stream()
        .map(ServiceLoader.Provider::get)
        .toList();
  }

  MixerType mixer(String name) {
    return mixers.get(name);
  }

  ChannelType channel(String name) {
    return channels.get(name);
  }

  /** For messages. */
  String names() {
    return String.join(", ", mixers.keySet()) + ", " + String.join(", ", channels.keySet());
  }
}
