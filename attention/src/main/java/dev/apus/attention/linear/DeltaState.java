package dev.apus.attention.linear;

import dev.apus.core.model.MixerState;
import dev.apus.core.model.NativeFloats;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** The inputs a short convolution still needs, and a matrix for each head: constant in size. */
final class DeltaState implements MixerState {

  private final NativeFloats convolution;
  private final NativeFloats memory;

  DeltaState(NativeFloats convolution, NativeFloats memory) {
    this.convolution = convolution;
    this.memory = memory;
  }

  NativeFloats convolution() {
    return convolution;
  }

  NativeFloats memory() {
    return memory;
  }

  private final class Copied implements Mark {

    private final float[] convolutionThen = new float[floats(convolution)];
    private final float[] memoryThen = new float[floats(memory)];

    Copied take() {
      MemorySegment.ofArray(convolutionThen).copyFrom(convolution.segment());
      MemorySegment.ofArray(memoryThen).copyFrom(memory.segment());
      return this;
    }

    @Override
    public void rewind() {
      convolution.segment().copyFrom(MemorySegment.ofArray(convolutionThen));
      memory.segment().copyFrom(MemorySegment.ofArray(memoryThen));
    }

    @Override
    public void close() {
      // What the mark keeps goes with the mark, or serves the next.
    }

    private static int floats(NativeFloats of) {
      return Math.toIntExact(of.bytes() / Float.BYTES);
    }
  }

  @Override
  public Mark mark(Mark reuse) {
    return reuse instanceof Copied copied ? copied.take() : new Copied().take();
  }

  @Override
  public DeltaState copy() {
    return new DeltaState(convolution.copy(), memory.copy());
  }

  @Override
  public long bytes() {
    return convolution.bytes() + memory.bytes();
  }

  @Override
  public void write(DataOutput out) throws IOException {
    convolution.write(out);
    memory.write(out);
  }

  /** Reads beside the state first, so that a file that ends early leaves it as it was. */
  @Override
  public void read(DataInput in) throws IOException {
    try (DeltaState read = copy()) {
      read.convolution.read(in);
      read.memory.read(in);
      convolution.segment().copyFrom(read.convolution.segment());
      memory.segment().copyFrom(read.memory.segment());
    }
  }

  @Override
  public void close() {
    convolution.close();
    memory.close();
  }
}
