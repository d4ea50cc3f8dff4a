//! The start-up check: a few kernels against numbers worked out by hand.
//!
//! A driver may refuse a shader and go on with stale buffers; better to learn it here than from a wrong map.

use burn::tensor::{Device, Tensor, TensorData, activation, module::conv2d, ops::ConvOptions};

/// Largest deviation allowed.
const TOLERANCE: f32 = 1e-4;

/// Runs the kernels and compares.
///
/// # Errors
/// Names the kernel that was wrong or failed.
pub async fn run(device: &Device) -> Result<(), String> {
    let matrix = |values: [f32; 4]| Tensor::<2>::from_data(TensorData::new(values.to_vec(), [2, 2]), device);
    let (a, b) = (matrix([1.0, 2.0, 3.0, 4.0]), matrix([0.5, -1.0, 1.5, 2.0]));
    expect("matrix product", a.clone().matmul(b.clone()), &[3.5, 3.0, 7.5, 5.0]).await?;
    expect("broadcast sum", a.clone() + Tensor::<2>::from_data([[10.0, 20.0]], device), &[11.0, 22.0, 13.0, 24.0])
        .await?;
    expect("reduction", a.clone().sum_dim(1), &[3.0, 7.0]).await?;
    // exp(0) and exp(ln 3): a quarter and three quarters.
    let row = Tensor::<2>::from_data([[0.0, 3.0_f32.ln()]], device);
    expect("softmax", activation::softmax(row, 1), &[0.25, 0.75]).await?;
    convolution(device).await
}

/// A 2x2 convolution of a 3x3 ramp, squared, and its gradients.
async fn convolution(device: &Device) -> Result<(), String> {
    let ramp: Vec<f32> = (1_u8..=9).map(f32::from).collect();
    let input = Tensor::<4>::from_data(TensorData::new(ramp, [1, 1, 3, 3]), device).autodiff().require_grad();
    let weight = TensorData::new(vec![1.0_f32, 0.0, 0.0, -1.0], [1, 1, 2, 2]);
    let weight = Tensor::<4>::from_data(weight, device).autodiff();
    let output = conv2d(input.clone(), weight, None, ConvOptions::new([1, 1], [0, 0], [1, 1], 1));
    // Every window holds v and v + 4 on its diagonal.
    expect("convolution", output.clone().inner(), &[-4.0; 4]).await?;
    // The gradient of the sum of squares is 2 * -4 at each output, spread by the kernel.
    let gradients = output.clone().mul(output).sum().backward();
    let gradient = input.grad(&gradients).ok_or("convolution gave no gradient")?;
    expect("convolution backward", gradient.inner(), &[-8.0, -8.0, 0.0, -8.0, 0.0, 8.0, 0.0, 8.0, 8.0]).await
}

async fn expect<const D: usize>(kernel: &str, found: Tensor<D>, expected: &[f32]) -> Result<(), String> {
    let data = found.into_data_async().await.map_err(|error| format!("{kernel}: {error:?}"))?;
    let found = data.try_to_vec::<f32>().map_err(|error| format!("{kernel}: {error:?}"))?;
    let right = found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= TOLERANCE);
    if right { Ok(()) } else { Err(format!("{kernel} gave {found:?} instead of {expected:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_backend_passes() {
        pollster::block_on(run(&Device::flex())).unwrap();
    }

    #[test]
    fn a_wrong_number_is_named() {
        let tensor = Tensor::<1>::from_data([1.0, 2.5], &Device::flex());
        let error = pollster::block_on(expect("sum", tensor, &[1.0, 2.0])).unwrap_err();
        assert_eq!(error, "sum gave [1.0, 2.5] instead of [1.0, 2.0]");
    }
}
