//! Choosing where to compute: a real GPU that passes the self-check, or the CPU, with the reason in one sentence.

use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::{
    Device as BurnDevice,
    wgpu::{WgpuSetup, wgpu},
};
use vitrine_protocol::{Device, DeviceChoice, DeviceKind};

use crate::{EngineError, platform, self_check};

/// A device and what the GPU's driver has complained about since.
#[derive(Clone)]
pub struct Place {
    /// The device tensors live on.
    pub device: BurnDevice,
    /// The device in words.
    pub info: Device,
    complaints: Complaints,
}

/// Errors that WebGPU reports beside the calls that cause them.
type Complaints = Arc<Mutex<Option<String>>>;

impl Place {
    /// The CPU backend, with the reason for choosing it.
    pub fn cpu(reason: impl Into<String>) -> Place {
        let info = Device { kind: DeviceKind::Cpu, name: "CPU".to_owned(), reason: reason.into() };
        Place { device: BurnDevice::flex(), info, complaints: Complaints::default() }
    }

    /// Chooses a device.
    ///
    /// # Errors
    /// [`EngineError::NoGpu`] when [`DeviceChoice::Gpu`] asks for a GPU and none can be used.
    pub async fn choose(choice: DeviceChoice) -> Result<Place, EngineError> {
        platform::run_constructors();
        match choice {
            DeviceChoice::Cpu => Ok(Place::cpu("You asked for the CPU.")),
            DeviceChoice::Gpu => gpu(true).await.map_err(EngineError::NoGpu),
            DeviceChoice::Auto => Ok(gpu(false)
                .await
                .unwrap_or_else(|reason| Place::cpu(format!("It computes on the processor because {reason}.")))),
        }
    }

    /// Turns an error that the GPU reported on the side into one of the request at hand.
    ///
    /// # Errors
    /// [`EngineError::Gpu`] if there was one since the last check.
    pub fn check(&self) -> Result<(), EngineError> {
        match self.complaints.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(complaint) => Err(EngineError::Gpu(complaint)),
            None => Ok(()),
        }
    }

    /// Whether tensors live on a GPU.
    pub fn is_gpu(&self) -> bool {
        self.info.kind == DeviceKind::Gpu
    }
}

/// A GPU that passed the self-check, or the end of a sentence that begins "because".
async fn gpu(any: bool) -> Result<Place, String> {
    let adapter = adapter().await?;
    let info = adapter.get_info();
    let software = is_software(&info);
    if software && !any {
        return Err(format!("the only graphics adapter here ({}) is a software one", adapter_name(&info)));
    }
    // The wgpu runtime times its queues on some paths and fails without this feature.
    if !adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
        return Err(format!("the graphics adapter ({}) lacks timestamp queries", adapter_name(&info)));
    }
    let initialised = BurnDevice::wgpu_options().init_with_setup_async().await;
    let (device, setup) = initialised.map_err(|error| format!("the graphics device did not start ({error:?})"))?;
    let complaints = watch(&setup);
    let checked = self_check::run(&device).await;
    let complaint = complaints.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (checked, complaint) {
        (Ok(()), None) => {}
        (Err(reason), _) => return Err(format!("the GPU failed the start-up check ({reason})")),
        (Ok(()), Some(complaint)) => return Err(format!("the GPU failed the start-up check ({complaint})")),
    }
    let api = match info.backend {
        wgpu::Backend::BrowserWebGpu => "WebGPU".to_owned(),
        other => format!("{other:?}"),
    };
    let reason = if software { "You asked for any graphics adapter." } else { "Your GPU passed the start-up check." };
    let name = format!("{api} ({})", adapter_name(&info));
    let info = Device { kind: DeviceKind::Gpu, name, reason: reason.to_owned() };
    Ok(Place { device, info, complaints })
}

async fn adapter() -> Result<wgpu::Adapter, String> {
    // OpenGL is left out: burn does not run there, and looking for it prints complaints where there is no display.
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::PRIMARY,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let options =
        wgpu::RequestAdapterOptions { power_preference: wgpu::PowerPreference::HighPerformance, ..Default::default() };
    instance.request_adapter(&options).await.map_err(|_| "no graphics adapter answers here".to_owned())
}

fn is_software(info: &wgpu::AdapterInfo) -> bool {
    const SOFTWARE: [&str; 5] = ["swiftshader", "llvmpipe", "lavapipe", "basic render", "software"];
    let name = info.name.to_lowercase();
    info.device_type == wgpu::DeviceType::Cpu || SOFTWARE.iter().any(|software| name.contains(software))
}

fn adapter_name(info: &wgpu::AdapterInfo) -> String {
    match (info.name.is_empty(), is_software(info)) {
        (false, _) => info.name.clone(),
        (true, true) => "software".to_owned(),
        (true, false) => "your GPU".to_owned(),
    }
}

/// Collects what the device reports outside of any call: refused shaders, failed allocations, loss.
fn watch(setup: &WgpuSetup) -> Complaints {
    let complaints = Complaints::default();
    let keep = |slot: &Complaints, text: String| {
        slot.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
    };
    let slot = Arc::clone(&complaints);
    setup.device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| keep(&slot, error.to_string())));
    let slot = Arc::clone(&complaints);
    setup.device.set_device_lost_callback(move |reason, message| {
        keep(&slot, format!("the device was lost ({reason:?}): {message}"));
    });
    complaints
}
