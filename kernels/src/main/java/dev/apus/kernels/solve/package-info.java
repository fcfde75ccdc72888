/** Systems of linear equations whose matrix is a memory. */
package dev.apus.kernels.solve;
