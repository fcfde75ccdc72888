package dev.apus.attention.softmax;

import dev.apus.core.model.KeyVisits;
import dev.apus.core.model.MixerState;
import dev.apus.core.model.RecurrentState;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.function.ObjLongConsumer;

/**
 * What attention behind a convolution remembers.
 *
 * @param cache the keys and values of all tokens
 * @param recent what the convolution sees of the last few
 */
record ConvolvedCache(KeyValueCache cache, RecurrentState recent) implements MixerState {

  private record Both(Mark cache, Mark recent) implements Mark {

    @Override
    public void rewind() {
      cache.rewind();
      recent.rewind();
    }

    @Override
    public long bytes() {
      return cache.bytes() + recent.bytes();
    }

    @Override
    public void close() {
      cache.close();
      recent.close();
    }
  }

  @Override
  public KeyVisits visits() {
    return cache.visits();
  }

  @Override
  public Mark mark(Mark reuse) {
    Both old = (Both) reuse;
    return new Both(
        cache.mark(old == null ? null : old.cache), recent.mark(old == null ? null : old.recent));
  }

  @Override
  public ConvolvedCache copy() {
    return new ConvolvedCache(cache.copy(), recent.copy());
  }

  @Override
  public void become(MixerState other) {
    ConvolvedCache there = (ConvolvedCache) other;
    cache.become(there.cache);
    recent.become(there.recent);
  }

  @Override
  public long bytes() {
    return cache.bytes() + recent.bytes();
  }

  @Override
  public void blocks(ObjLongConsumer<Object> visitor) {
    cache.blocks(visitor);
    recent.blocks(visitor);
  }

  @Override
  public void write(DataOutput out) throws IOException {
    recent.write(out);
    cache.write(out);
  }

  /** Reads beside the state first, so that a file that ends early leaves both as they were. */
  @Override
  public void read(DataInput in) throws IOException {
    try (RecurrentState read = recent.copy()) {
      read.read(in);
      cache.read(in);
      recent.become(read);
    }
  }

  @Override
  public void close() {
    cache.close();
    recent.close();
  }
}
