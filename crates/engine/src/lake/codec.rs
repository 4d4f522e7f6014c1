//! our operators ↔ bytes, so that a plan can be sent to where it runs.

use std::any::Any;
use std::sync::Arc;

use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::AggregateUDF;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::bytes::{
    physical_plan_from_bytes_with_extension_codec, physical_plan_to_bytes_with_extension_codec,
};
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use prost::Message;

use super::rows::SourceTable;
use super::sketch_exec::{SketchExec, SketchFns};
use super::sketch_merge;

/// Decodes plans whose functions it was given.
#[derive(Debug, Clone, Default)]
pub struct LakeCodec {
    pub functions: SketchFns,
}

#[derive(Clone, PartialEq, Message)]
struct SketchNode {
    #[prost(string, tag = "1")]
    function: String,
    #[prost(bytes = "vec", tag = "2")]
    config: Vec<u8>,
    /// By number.
    #[prost(message, repeated, tag = "3")]
    sources: Vec<SourceNode>,
}

#[derive(Clone, PartialEq, Message)]
struct SourceNode {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, optional, tag = "2")]
    format: Option<String>,
}

impl LakeCodec {
    pub fn encode(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Vec<u8>> {
        Ok(physical_plan_to_bytes_with_extension_codec(plan, self)?.to_vec())
    }

    pub fn decode(&self, bytes: &[u8], context: &TaskContext) -> Result<Arc<dyn ExecutionPlan>> {
        physical_plan_from_bytes_with_extension_codec(bytes, context, self)
    }
}

impl PhysicalExtensionCodec for LakeCodec {
    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buffer: &mut Vec<u8>,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let Some(sketch) = (node.as_ref() as &dyn Any).downcast_ref::<SketchExec>() else {
            return exec_err!("{} is no operator of ours", node.name());
        };
        let sources = sketch.sources().list.iter();
        let node = SketchNode {
            function: sketch.function().name().to_owned(),
            config: sketch.function().config(),
            sources: sources.map(|(name, format)| SourceNode { name: name.clone(), format: format.clone() }).collect(),
        };
        node.encode(buffer).map_err(|it| exec_datafusion_err!("{it}"))
    }

    fn try_decode(
        &self,
        buffer: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        _: &TaskContext,
        _: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let node = SketchNode::decode(buffer).map_err(|it| exec_datafusion_err!("damaged SketchExec: {it}"))?;
        let [input] = inputs else { return exec_err!("SketchExec has one child, not {}", inputs.len()) };
        let function = self.functions.make(&node.function, &node.config).map_err(|it| exec_datafusion_err!("{it}"))?;
        let sources = SourceTable::new(node.sources.into_iter().map(|it| (it.name, it.format)).collect());
        Ok(Arc::new(SketchExec::new(Arc::clone(input), function, Arc::new(sources))?))
    }

    fn try_encode_udaf(&self, function: &AggregateUDF, buffer: &mut Vec<u8>) -> Result<()> {
        // Something must be written: of nothing, the decoder would only ask its own session.
        if function.name() == sketch_merge::NAME {
            buffer.push(1);
        }
        Ok(())
    }

    fn try_decode_udaf(&self, name: &str, _: &[u8]) -> Result<Arc<AggregateUDF>> {
        match name {
            sketch_merge::NAME => Ok(sketch_merge::sketch_merge()),
            _ => exec_err!("no aggregate {name}"),
        }
    }
}
