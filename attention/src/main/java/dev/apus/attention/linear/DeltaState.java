package dev.apus.attention.linear;

import dev.apus.core.model.MixerState;
import dev.apus.core.model.NativeFloats;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The inputs a short convolution still needs, and a matrix for each head: constant in size.
 *
 * <p>A mark copies when something is about to change, not when it is made: a head that is copied
 * just before a kernel reads and writes it is copied by the thread, and into the caches, that need
 * it next.
 */
final class DeltaState implements MixerState {

  private final int heads;
  private final long headBytes;
  private final NativeFloats convolution;
  private final NativeFloats memory;

  /** Marks that have not yet copied all of the state as they know it. */
  private final List<Copied> due = new ArrayList<>();

  /**
   * Takes over the memory.
   *
   * @param headBytes what one head takes; the memory may be larger than all of them
   */
  DeltaState(int heads, long headBytes, NativeFloats convolution, NativeFloats memory) {
    this.heads = heads;
    this.headBytes = headBytes;
    this.convolution = convolution;
    this.memory = memory;
  }

  NativeFloats convolution() {
    return convolution;
  }

  NativeFloats memory() {
    return memory;
  }

  /** Must be called before the convolution's inputs change. */
  void keepConvolution() {
    due.forEach(Copied::keepConvolution);
  }

  /** Must be called before the memory of a head changes; different heads may be kept at a time. */
  void keepHead(int head) {
    for (Copied mark : due) {
      mark.keepHead(head);
    }
  }

  /** Must be called when all of the state has changed. */
  void changed() {
    due.clear();
  }

  private final class Copied implements Mark {

    private final float[] convolutionThen = new float[floats(convolution)];
    private final float[] memoryThen = new float[floats(memory)];
    private final boolean[] headKept = new boolean[heads];
    private boolean convolutionKept;

    Copied arm() {
      Arrays.fill(headKept, false);
      convolutionKept = false;
      due.add(this);
      return this;
    }

    void keepConvolution() {
      if (!convolutionKept) {
        MemorySegment.ofArray(convolutionThen).copyFrom(convolution.segment());
        convolutionKept = true;
      }
    }

    void keepHead(int head) {
      if (!headKept[head]) {
        long at = head * headBytes;
        MemorySegment.copy(memory.segment(), at, MemorySegment.ofArray(memoryThen), at, headBytes);
        headKept[head] = true;
      }
    }

    @Override
    public void rewind() {
      keepForOthers(this);
      if (convolutionKept) {
        convolution.segment().copyFrom(MemorySegment.ofArray(convolutionThen));
      }
      for (int head = 0; head < heads; head++) {
        if (headKept[head]) {
          long at = head * headBytes;
          MemorySegment.copy(
              MemorySegment.ofArray(memoryThen), at, memory.segment(), at, headBytes);
        }
      }
    }

    @Override
    public void close() {
      due.remove(this);
    }

    private static int floats(NativeFloats of) {
      return Math.toIntExact(of.bytes() / Float.BYTES);
    }
  }

  /** All of the state is about to change otherwise than by a kernel. */
  private void keepForOthers(Copied except) {
    for (Copied mark : due) {
      if (mark != except) {
        mark.keepConvolution();
        for (int head = 0; head < heads; head++) {
          mark.keepHead(head);
        }
      }
    }
    due.removeIf(mark -> mark != except);
  }

  @Override
  public Mark mark(Mark reuse) {
    return reuse instanceof Copied copied ? copied.arm() : new Copied().arm();
  }

  @Override
  public DeltaState copy() {
    return new DeltaState(heads, headBytes, convolution.copy(), memory.copy());
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
      keepForOthers(null);
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
